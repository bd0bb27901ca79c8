#!/usr/bin/env bash
# As grpo.sh, and the number of votes grows with the rollouts: 2, then 4, then 8.
#   python -m grm_plugin.reference.policy prompts out/reference/prompts
#   bash recipes/reference/openrlhf/grpo_coscaling.sh
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

exec bash "$here/grpo.sh" --grm_config "$here/../../grm/reference-coscaling-openrlhf.yaml" "$@"
