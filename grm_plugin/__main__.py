"""``python -m grm_plugin``: the same as ``grm``, where no script is on the path."""

from grm_plugin.cli import main

main()
