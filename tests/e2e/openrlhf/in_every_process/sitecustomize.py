"""Python imports this at the start of every process that has this folder on PYTHONPATH.

With Ray these are the driver, the workers and vLLM's engine.
"""

import watched_updates  # noqa: F401
import without_gpu  # noqa: F401  of recipes/openrlhf_on_cpu, which is on PYTHONPATH, too
