"""Lets the unmodified OpenRLHF run on a machine without a GPU.

What asks for CUDA is pointed to the CPU, and new weights go to vLLM without NCCL. Rewards pass
through nothing of this.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import wrapt

sys.modules["flash_attn_2_cuda"] = ModuleType("flash_attn_2_cuda")  # the compiled part
sys.modules["flash_attn.ops.triton.cross_entropy"] = None  # type: ignore[assignment]  # not there


@wrapt.when_imported("torch")
def cuda_is_the_cpu(torch: Any) -> None:
    """Calls about CUDA's state do nothing, and tensors for it are made on the CPU."""
    for name in ("set_device", "synchronize", "empty_cache", "current_stream"):
        setattr(torch.cuda, name, lambda *_: None)
    torch.cuda.current_device = lambda: "cpu"
    torch.Tensor.pin_memory = lambda tensor, *_: tensor
    empty = torch.empty

    def empty_on_the_cpu(*size: Any, **options: Any) -> Any:
        if options.get("device") == "cuda":
            options["device"] = "cpu"
        return empty(*size, **options)

    torch.empty = empty_on_the_cpu


@wrapt.when_imported("torch.distributed.device_mesh")
def meshes_of_processes(module: Any) -> None:
    """Meshes are of CPUs."""
    mesh = module.init_device_mesh
    module.init_device_mesh = lambda _, *args, **options: mesh("cpu", *args, **options)


@wrapt.when_imported("openrlhf.trainer.ppo_utils.replay_buffer")
def batches_stay_in_memory(module: Any) -> None:
    """Batches are moved to no GPU."""

    class Torch(wrapt.ObjectProxy):  # type: ignore[misc]
        def device(self, _: str) -> Any:
            return self.__wrapped__.device("cpu")

    module.torch = Torch(module.torch)


@wrapt.when_imported("openrlhf.utils.distributed_util")
def weights_go_by_tcp(module: Any) -> None:
    """New weights go to vLLM over TCP in place of NCCL."""

    class TcpGroup:
        """The one method of vLLM's NCCL group that OpenRLHF calls."""

        def __init__(self, processes: Any) -> None:
            self.processes = processes

        def broadcast(self, tensor: Any, src: int, stream: None) -> None:
            if self.processes.rank == src:
                self.processes.broadcast_obj(tensor.detach().clone(), src)
            else:
                tensor.copy_(self.processes.broadcast_obj(None, src))

    def group(host: str, port: int, rank: int, world_size: int, device: object) -> TcpGroup:
        from vllm.distributed.utils import StatelessProcessGroup

        return TcpGroup(StatelessProcessGroup.create(host, port, rank, world_size))

    module.stateless_init_process_group = group


@wrapt.when_imported("vllm.model_executor.layers.utils")
def weights_stay_replaceable(module: Any) -> None:
    """VLLM packs weights for the CPU, once and for all; new ones could not be loaded then."""
    from torch.nn.functional import linear

    def plain(layer: Any, remove_weight: bool) -> None:
        layer.cpu_linear = linear

    module.dispatch_cpu_unquantized_gemm = plain


@wrapt.when_imported("deepspeed.comm.torch")
def no_reduction_is_compiled(module: Any) -> None:
    """DeepSpeed reduces with torch alone."""
    module.build_shm_op = lambda: None


@wrapt.when_imported("deepspeed.ops.adam")
def no_optimizer_is_compiled(module: Any) -> None:
    """DeepSpeed's Adam is that of torch."""

    from torch.optim import AdamW

    class PlainAdam(AdamW):
        def __init__(self, parameters: Any, adam_w_mode: bool, **options: Any) -> None:
            super().__init__(parameters, **options)

    module.FusedAdam = PlainAdam
