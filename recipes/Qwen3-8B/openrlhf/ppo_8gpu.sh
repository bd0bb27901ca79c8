#!/usr/bin/env bash
# PPO: a critic of the policy's size learns the baseline; KL is part of the reward. Each response is
# still judged beside the 7 others of its prompt.
# 8 GPUs of 80 GB: policy, critic and rollouts take turns on 6, 2 serve one judge each, started by
# the launcher. 100 steps of 96 prompts x 8 responses, slower than those without a critic.
#   bash recipes/Qwen3-8B/openrlhf/ppo_8gpu.sh
set -euo pipefail
source "$(dirname "$0")/common.sh"

train "${six_gpus[@]}" \
  --grm_config "$recipes/grm/deepseek-grm-16b-openrlhf.yaml" \
  --algo.advantage.estimator gae \
  --algo.kl.estimator k1 \
  --algo.kl.init_coef 0.001 \
  --critic.num_gpus_per_node 6 \
  --critic.adam.lr 9e-6 \
  --critic.lr_scheduler constant_with_warmup \
  "$@"
