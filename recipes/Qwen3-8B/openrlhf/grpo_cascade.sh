#!/usr/bin/env bash
# GRPO as in grpo_8gpu.sh, rewarded by a cascade: a public scalar RM where it is sure, and the 16B judge
# elsewhere and in audits. Both run on a GPU each, started before by hand, and the trainer sees the other 6.
#   CUDA_VISIBLE_DEVICES=6 vllm serve BBQGOD/DeepSeek-GRM-16B --port 8001 --max-model-len 16384 &
#   CUDA_VISIBLE_DEVICES=7 vllm serve Skywork/Skywork-Reward-V2-Qwen3-8B --port 8003 \
#     --runner pooling --convert classify &
#   bash recipes/Qwen3-8B/openrlhf/grpo_cascade.sh
# For a scalar RM alone, votes of both, a refreshed one, k by reliability or a control judge, name the
# settings: --grm_config recipes/grm/deepseek-grm-16b-reliability.yaml, and so on; they say what to start.
set -euo pipefail
source "$(dirname "$0")/common.sh"

export CUDA_VISIBLE_DEVICES=0,1,2,3,4,5
exec bash "$recipes/Qwen3-8B/openrlhf/grpo_8gpu.sh" \
  "${results[@]}" \
  --grm_config "$recipes/grm/deepseek-grm-16b-cascade.yaml" \
  "$@"
