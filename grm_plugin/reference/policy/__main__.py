"""``python -m grm_plugin.reference.policy``: prompts to train on."""

from grm_plugin.reference.policy import main

main()
