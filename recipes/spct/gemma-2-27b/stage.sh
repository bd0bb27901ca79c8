#!/usr/bin/env bash
# One stage of SPCT for gemma-2-27b, the base of the paper's 27B; options after its name go to its command.
#   for stage in sample reject sft rl-data grpo resample meta-data meta scale; do
#     bash recipes/spct/gemma-2-27b/stage.sh $stage || break
#   done
# RL of all weights takes two nodes: run `grpo` on both, with
#   ACCELERATE="--machine_rank 0 --main_process_ip 10.0.0.1" (and 1 on the second)
set -euo pipefail
model=gemma-2-27b
declare -A spread=([sft]=zero3 [sft_lora]=zero3 [grpo]=zero3_2nodes [grpo_lora]=zero3 [meta]=zero3)
source "$(dirname "$0")/../real_size.sh"

stage "$@"
