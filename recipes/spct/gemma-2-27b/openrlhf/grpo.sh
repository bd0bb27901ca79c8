#!/usr/bin/env bash
# Stage 2 (RL) in OpenRLHF, all weights: two nodes of 8 GPUs of 80 GB, which sample and learn in turns. They
# share this folder: `ray start --head` on the first, `ray start --address FIRST_NODE:6379` on the second, then
#   bash recipes/spct/gemma-2-27b/openrlhf/grpo.sh
set -euo pipefail
model=gemma-2-27b
source "$(dirname "$0")/../../openrlhf.sh"

rl \
  --actor.num_nodes 2 \
  --actor.num_gpus_per_node 8 \
  --ref.num_nodes 2 \
  --ref.num_gpus_per_node 8 \
  --vllm.num_engines 4 \
  --vllm.tensor_parallel_size 4 \
  --vllm.gpu_memory_utilization 0.4 \
  --ds.packing_samples \
  --ds.attn_implementation flash_attention_2 \
  --algo.kl.init_coef 0.08 \
  "$@"
