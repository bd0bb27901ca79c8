#!/usr/bin/env bash
# GRPO as in grpo_8gpu.sh, as a job on a Ray cluster of two nodes: on each, 6 GPUs of 80 GB roll out
# and train, and 2 serve one judge each. Updates of 768: half as many as on one node.
# The nodes share this folder, where checkpoints go, and have the same environment: in it,
#   ray start --head                        on the first,
#   ray start --address FIRST_NODE:6379     on the second, and then on the first
#   bash recipes/Qwen3-8B/openrlhf/grpo_2nodes.sh
set -euo pipefail
source "$(dirname "$0")/common.sh"

exec ray job submit --address http://127.0.0.1:8265 -- \
  bash "$recipes/Qwen3-8B/openrlhf/grpo_8gpu.sh" \
  "${results[@]}" \
  --grm.adapters.openrlhf.judge.replicas 4 \
  --actor.num_nodes 2 \
  --ref.num_nodes 2 \
  --vllm.num_engines 12 \
  --train.batch_size 768 \
  "$@"
