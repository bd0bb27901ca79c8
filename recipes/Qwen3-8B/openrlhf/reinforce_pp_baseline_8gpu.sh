#!/usr/bin/env bash
# REINFORCE++-baseline: rewards less the mean of their group, normalised over the whole batch, so
# that a group in which the judge sees little difference moves the policy little.
# 8 GPUs of 80 GB: 6 roll out and train in turns, 2 serve one judge each, started by the launcher.
# 100 steps of 96 prompts x 8 responses.
#   bash recipes/Qwen3-8B/openrlhf/reinforce_pp_baseline_8gpu.sh
set -euo pipefail
source "$(dirname "$0")/common.sh"

train "${six_gpus[@]}" \
  --grm_config "$recipes/grm/deepseek-grm-16b-openrlhf.yaml" \
  --algo.advantage.estimator reinforce_baseline \
  --algo.kl.use_loss \
  --algo.kl.estimator k2 \
  --algo.kl.init_coef 0.001 \
  "$@"
