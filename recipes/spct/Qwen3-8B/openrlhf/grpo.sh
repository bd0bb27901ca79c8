#!/usr/bin/env bash
# Stage 2 (RL) in OpenRLHF, all weights: 8 GPUs of 80 GB, which sample and learn in turns.
#   bash recipes/spct/Qwen3-8B/openrlhf/grpo.sh
set -euo pipefail
model=Qwen3-8B
source "$(dirname "$0")/../../openrlhf.sh"

rl \
  --actor.num_gpus_per_node 8 \
  --ref.num_gpus_per_node 8 \
  --vllm.num_engines 8 \
  --vllm.gpu_memory_utilization 0.5 \
  --ds.packing_samples \
  --ds.attn_implementation flash_attention_2 \
  --algo.kl.init_coef 0.02 \
  "$@"
