"""grm-plugin for OpenRLHF: a judge where ``train_ppo_ray`` takes a reward model.

Say ``python -m grm_openrlhf.train_ppo_ray`` in place of ``python -m openrlhf.cli.train_ppo_ray``
and add ``--reward_model grm_plugin --grm_config grm.yaml``. The trainer itself is the installed
one, unmodified: the judge comes in as its agent executor.
"""
