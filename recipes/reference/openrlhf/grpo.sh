#!/usr/bin/env bash
# The whole way through OpenRLHF in minutes: the tiny reference policy learns from the embedded judge, 8 votes,
# which runs in the rollout actor's process.
# 2 GPUs of any size: one trains, one rolls out. 40 rollouts of 32 prompts x 4 responses, 4 updates each.
#   python -m grm_plugin.reference.policy prompts out/reference/prompts
#   bash recipes/reference/openrlhf/grpo.sh
set -euo pipefail
recipes=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
out="$PWD/out/reference"

exec python -m grm_openrlhf.train_ppo_ray --reward_model grm_plugin \
  --grm_config "$recipes/grm/reference.yaml" \
  --actor.model_name_or_path "$recipes/../grm_plugin/reference/policy_model" \
  --actor.num_gpus_per_node 1 \
  --actor.adam.lr 7e-4 \
  --actor.lr_scheduler constant_with_warmup \
  --ds.zero_stage 0 \
  --vllm.num_engines 1 \
  --vllm.gpu_memory_utilization 0.3 \
  --data.prompt_dataset "$out/prompts/train.jsonl" \
  --data.input_key prompt \
  --data.apply_chat_template \
  --data.max_samples 1280 \
  --data.max_len 256 \
  --rollout.batch_size 32 \
  --rollout.n_samples_per_prompt 4 \
  --rollout.max_new_tokens 48 \
  --rollout.micro_batch_size 32 \
  --train.batch_size 32 \
  --train.micro_batch_size 32 \
  --algo.advantage.estimator group_norm \
  --algo.kl.init_coef 0 \
  --ckpt.output_dir "$out/openrlhf_grpo" \
  --ckpt.path "$out/openrlhf_grpo/checkpoints" \
  --logger.tensorboard_dir "$out/openrlhf_grpo/metrics" \
  "$@"
