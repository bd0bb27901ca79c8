#!/usr/bin/env bash
# GRPO: rewards of a group, normalised by its mean and spread.
# 8 GPUs of 80 GB: 6 roll out and train in turns, 2 serve one judge each, started by the launcher.
# 100 steps of 96 prompts x 8 responses.
#   bash recipes/Qwen3-8B/openrlhf/grpo_8gpu.sh
set -euo pipefail
source "$(dirname "$0")/common.sh"

train "${six_gpus[@]}" \
  --grm_config "$recipes/grm/deepseek-grm-16b-openrlhf.yaml" \
  --algo.advantage.estimator group_norm \
  --algo.kl.use_loss \
  --algo.kl.estimator k3 \
  --algo.kl.init_coef 0.001 \
  "$@"
