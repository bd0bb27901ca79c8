"""The unmodified OpenRLHF on a machine without a GPU: a Ray cluster that believes it has some.

Needs Ray, vLLM for CPUs and OpenRLHF, which ``make test-openrlhf`` installs. A trainer that is
started with :data:`ENVIRONMENT` and with the cluster's address as ``RAY_ADDRESS`` runs in it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ray.cluster_utils import Cluster

import grm_openrlhf
import grm_plugin
from grm_plugin.remote.launching.ports import free_port

IN_EVERY_PROCESS = Path(__file__).parent / "in_every_process"
_PACKAGES = (grm_plugin, grm_openrlhf)
_SOURCES = (IN_EVERY_PROCESS, *(Path(one.__file__ or "").parents[1] for one in _PACKAGES))
ENVIRONMENT = {
    "PYTHONPATH": os.pathsep.join(map(str, _SOURCES)),
    "DS_ACCELERATOR": "cpu",
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
    # scripts say `python`
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",  # 15 by default: on a busy machine they would hardly run
    "TOKENIZERS_PARALLELISM": "false",
    "TORCHDYNAMO_DISABLE": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_LOGGING_LEVEL": "WARNING",
    "VLLM_NO_USAGE_STATS": "1",
}
"""What every process of a training has, its driver among them."""


@contextmanager
def cluster(environment: Mapping[str, str] = ENVIRONMENT) -> Iterator[str]:
    """The address of a running Ray cluster of one node.

    Args:
        environment: what its workers have beside the variables of this process.
    """
    node = {
        "num_cpus": 12,
        "num_gpus": 6,
        "object_store_memory": 300_000_000,
        "include_dashboard": False,
        "dashboard_agent_listen_port": free_port(),  # another cluster may have the usual one
    }
    outside = dict(os.environ)
    os.environ.update(environment)
    try:
        ray = Cluster(initialize_head=True, head_node_args=node)
    finally:
        os.environ.clear()
        os.environ.update(outside)
    try:
        yield ray.address
    finally:
        ray.shutdown()
