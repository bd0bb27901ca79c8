#!/usr/bin/env bash
# RLOO: each reward less the mean of the other responses of its group; KL is part of the reward.
# 8 GPUs of 80 GB: 6 roll out and train in turns, 2 serve one judge each, started by the launcher.
# 100 steps of 96 prompts x 8 responses.
#   bash recipes/Qwen3-8B/openrlhf/rloo_8gpu.sh
set -euo pipefail
source "$(dirname "$0")/common.sh"

train "${six_gpus[@]}" \
  --grm_config "$recipes/grm/deepseek-grm-16b-openrlhf.yaml" \
  --algo.advantage.estimator rloo \
  --algo.kl.estimator k1 \
  --algo.kl.init_coef 0.001 \
  "$@"
