"""What a server that we start finds in its environment: what it needs, and no keys of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_NAMES = frozenset(
    (
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TERM"),
        *("TMPDIR", "TEMP", "TMP", "VIRTUAL_ENV", "CC", "CXX", "CPATH", "LIBRARY_PATH"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
        *_PROXIES,
        "HF_HUB_DISABLE_IMPLICIT_TOKEN",  # a switch
    )
)
_PREFIXES = (
    *("LC_", "LD_", "DYLD_", "XDG_", "CONDA_", "PYTHON"),
    *("CUDA", "NVIDIA_", "NVCC_", "NCCL_", "NVSHMEM_", "CUBLAS", "CUDNN_"),
    *("HIP_", "ROCM_", "ROCR_", "HSA_", "AMD_", "MIOPEN_", "RCCL_", "ONEAPI_", "ZE_"),
    *("TPU_", "PJRT_", "NEURON_", "ASCEND_", "PT_HPU_"),
    *("VLLM_", "SGLANG_", "SGL_", "LMCACHE_", "FLASHINFER_", "FLASH_ATTENTION_", "DG_"),
    *("TORCH_", "TORCHINDUCTOR_", "TORCHDYNAMO_", "PYTORCH_", "TRITON_", "GLOO_", "UCX_"),
    *("HF_", "HUGGINGFACE_", "TRANSFORMERS_", "TOKENIZERS_", "SAFETENSORS_", "MODELSCOPE_"),
    *("OMP_", "KMP_", "MKL_", "OPENBLAS_", "GOTO_", "NUMEXPR_", "RAYON_", "MALLOC_"),
)
_SECRET = re.compile("KEY|TOKEN|AUTH|PASS|PWD|SECRET|CREDENTIAL")
# What only looks like it: tokens that are counted or made, passes of a compiler.
_HARMLESS = re.compile("TOKENIZER|FASTOKENS|(MAX|NUM|TOTAL)_TOKENS|TOKEN_THRESHOLD|PASSES$")
_USER_IN_URL = re.compile(r"://[^/?#\s]*@")
HUB_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
"""What opens gated weights on the hub."""


def is_needed(name: str, value: str = "") -> bool:
    """Whether a server may get the variable without being asked: it is one that servers read.

    A name that speaks of a key, a token or a password is none of them, whatever it begins with;
    nor is a URL with a user in it, but that of a proxy.

    >>> [is_needed(name) for name in ("CUDA_HOME", "OPENAI_API_KEY", "HF_HOME", "HF_TOKEN")]
    [True, False, True, False]
    >>> is_needed("LMCACHE_REMOTE_URL", "redis://:password@cache:6379")
    False
    """
    upper = name.upper()  # proxies come in small letters, too
    if upper in _NAMES:
        return upper in _PROXIES or not _USER_IN_URL.search(value)
    secret = _SECRET.search(_HARMLESS.sub("", upper)) or _USER_IN_URL.search(value)
    return upper.startswith(_PREFIXES) and not secret


def environment(
    ours: Mapping[str, str], pass_env: Sequence[str], own: Mapping[str, str]
) -> dict[str, str]:
    """The environment of a server.

    Args:
        ours: the environment of this process.
        pass_env: names of more of its variables that are handed on, such as ``AWS_*``.
        own: what the server gets besides; it comes first.
    """
    named = {
        name: value
        for name, value in ours.items()
        if is_needed(name, value) or any(fnmatchcase(name, wanted) for wanted in pass_env)
    }
    return named | dict(own)


def held_back(ours: Mapping[str, str], given: Mapping[str, str], log: str) -> list[str]:
    """Variables of ours that a server was not given, and may have missed.

    Args:
        ours: the environment of this process.
        given: what the server got.
        log: its last words; it asks for what it names.
    """
    absent = set(ours) - set(given)
    told = {name for name in absent if "_" in name and len(name) > 5 and name in log}
    gated = any(word in log.lower() for word in ("gated", "restricted", "401", "403"))
    return sorted(told | (absent & set(HUB_TOKENS) if gated else set()))
