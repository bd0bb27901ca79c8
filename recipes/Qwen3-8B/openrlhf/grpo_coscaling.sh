#!/usr/bin/env bash
# GRPO with the 27B judge and its meta RM, and more judgments as training goes on: 4, 8, 16, then 32.
# 8 GPUs of 80 GB: the judge and the meta RM each run on one, started before by hand, and the trainer
# sees the other 6. 100 steps of 96 prompts x 4 short responses: the judge reads a group within 8,192
# tokens. Judging costs 8 times as much in the last 25 steps as in the first.
#   CUDA_VISIBLE_DEVICES=6 vllm serve BBQGOD/DeepSeek-GRM-27B --port 8001 &
#   CUDA_VISIBLE_DEVICES=7 vllm serve BBQGOD/DeepSeek-GRM-27B-MetaRM --port 8002 \
#     --runner pooling --convert classify &
#   bash recipes/Qwen3-8B/openrlhf/grpo_coscaling.sh
set -euo pipefail
source "$(dirname "$0")/common.sh"

export CUDA_VISIBLE_DEVICES=0,1,2,3,4,5
train "${six_gpus[@]}" \
  --grm_config "$recipes/grm/deepseek-grm-27b-coscaling-openrlhf.yaml" \
  --rollout.n_samples_per_prompt 4 \
  --rollout.max_new_tokens 768 \
  --rollout.micro_batch_size 4 \
  --train.batch_size 192 \
  --algo.advantage.estimator group_norm \
  --algo.kl.use_loss \
  --algo.kl.estimator k3 \
  --algo.kl.init_coef 0.001 \
  "$@"
