#!/usr/bin/env bash
# GRPO that rolls out and judges the next batch while it trains on this one. Rollouts go on while
# weights change, so responses are partly older than the policy: token-wise importance weights.
# 8 GPUs of 80 GB: 4 train, 2 roll out, 2 serve one judge each, started by the launcher.
# 150 steps of 64 prompts x 8 responses.
#   bash recipes/Qwen3-8B/openrlhf/grpo_async.sh
set -euo pipefail
source "$(dirname "$0")/common.sh"

train \
  --grm_config "$recipes/grm/deepseek-grm-16b-openrlhf.yaml" \
  --train.async_enable \
  --train.partial_rollout_enable \
  --train.colocate_actor_ref \
  --actor.num_gpus_per_node 4 \
  --ref.num_gpus_per_node 4 \
  --vllm.num_engines 2 \
  --vllm.gpu_memory_utilization 0.9 \
  --rollout.batch_size 64 \
  --rollout.n_samples_per_prompt 8 \
  --rollout.max_new_tokens 1024 \
  --rollout.micro_batch_size 8 \
  --train.batch_size 256 \
  --train.micro_batch_size 4 \
  --algo.advantage.estimator group_norm \
  --algo.advantage.is_correction_level token \
  --algo.kl.use_loss \
  --algo.kl.estimator k3 \
  --algo.kl.init_coef 0.001 \
  "$@"
