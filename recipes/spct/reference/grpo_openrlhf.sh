#!/usr/bin/env bash
# SPCT's second stage in OpenRLHF: the tiny reference judge learns by its outcomes, +1 or -1.
# 2 GPUs of any size: one trains and holds the reference model, one rolls out. Steps of 32 prompts x 4 judgments,
# 10 times over the prompts.
#   grm train rl-data rm.jsonl --out out/spct/rl.jsonl --template reference
#   bash recipes/spct/reference/grpo_openrlhf.sh
set -euo pipefail
recipes=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
out="$PWD/out/spct"
export GRM_CONFIG="${GRM_CONFIG:-$recipes/spct/reference/judge.yaml}"

exec python -m openrlhf.cli.train_ppo_ray \
  --train.agent_func_path "$recipes/../adapters/grm_openrlhf/outcome_agent.py" \
  --actor.model_name_or_path "$out/rft" \
  --actor.num_gpus_per_node 1 \
  --actor.adam.lr 1e-4 \
  --actor.lr_scheduler constant_with_warmup \
  --ref.num_gpus_per_node 1 \
  --train.colocate_actor_ref \
  --ds.zero_stage 0 \
  --vllm.num_engines 1 \
  --vllm.gpu_memory_utilization 0.3 \
  --data.prompt_dataset "$out/rl.jsonl" \
  --data.input_key prompt \
  --data.label_key target \
  --data.apply_chat_template \
  --data.max_len 1280 \
  --rollout.batch_size 32 \
  --rollout.n_samples_per_prompt 4 \
  --rollout.max_new_tokens 640 \
  --rollout.micro_batch_size 32 \
  --train.num_episodes 10 \
  --train.batch_size 128 \
  --train.micro_batch_size 32 \
  --algo.advantage.estimator group_norm \
  --algo.kl.init_coef 0.02 \
  --algo.kl.use_loss \
  --algo.kl.estimator k3 \
  --actor.loss_agg_mode seq-mean-token-mean \
  --ckpt.output_dir "$out/openrlhf_rl" \
  --ckpt.path "$out/openrlhf_rl/checkpoints" \
  --logger.tensorboard_dir "$out/openrlhf_rl/metrics" \
  "$@"
