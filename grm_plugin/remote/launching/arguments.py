"""The command line of a server of our own, behind its model and its address."""

from __future__ import annotations

from collections.abc import Sequence

# arguments that say how a server uses several GPUs
_PARALLEL = frozenset(
    ("tensor-parallel-size", "tp", "pipeline-parallel-size", "pp", "data-parallel-size", "dp")
)


def arguments(command: Sequence[str], gpus: Sequence[object], args: Sequence[str]) -> list[str]:
    """The arguments that a server gets: ours, then the user's own, which decide where both speak.

    Several GPUs share the weights. vLLM is told to keep the checkpoint's ``generation_config.json``
    out of the sampling; the end tokens that are named there count all the same.

    Args:
        command: what is run.
        gpus: which ones it sees.
        args: the user's own arguments.

    >>> arguments(["vllm", "serve"], [0, 1], ["--dtype=auto"])
    ['--tensor-parallel-size', '2', '--generation-config', 'vllm', '--dtype=auto']
    """
    named = {arg.partition("=")[0].lstrip("-").replace("_", "-") for arg in args}
    ours: list[str] = []
    if len(gpus) > 1 and not named & _PARALLEL:
        ours += ["--tensor-parallel-size", str(len(gpus))]
    if any("vllm" in word for word in command) and "generation-config" not in named:
        ours += ["--generation-config", "vllm"]
    return [*ours, *args]
