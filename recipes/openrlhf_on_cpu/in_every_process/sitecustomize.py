"""Python imports this at the start of every process that has this folder on PYTHONPATH.

With Ray these are the driver, the workers and vLLM's engine.
"""

import without_gpu  # noqa: F401
