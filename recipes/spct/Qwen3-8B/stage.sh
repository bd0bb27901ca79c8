#!/usr/bin/env bash
# One stage of SPCT for Qwen3-8B-Base; options after its name go to its command.
#   for stage in sample reject sft rl-data grpo resample meta-data meta scale; do
#     bash recipes/spct/Qwen3-8B/stage.sh $stage || break
#   done
set -euo pipefail
model=Qwen3-8B
declare -A spread=([sft]=zero3 [sft_lora]=single [grpo]=zero3 [grpo_lora]=single [meta]=zero3)
source "$(dirname "$0")/../real_size.sh"

stage "$@"
