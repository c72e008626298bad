"""Where a training runs, as far as it decides the bits: recorded with results, compared before a replay.

Floating-point sums depend on the order of their terms, which depends on the library, the instruction set, the
number of threads, the device and the form of the network.
"""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import tdw
from tdw.errors import BadConfig, TdwError
from tdw.recipes.family import Family, Form

# Raise it with every change to the loop or the trainer that can change a bit.
LOOP_VERSION = "3"
# The entries that decide the bits; "tdw" is recorded too, but says only which version wrote the file.
DECISIVE = (
    "code", "torch", "cpu", "instructions", "threads", "device", "form", "batch", "numba", "variables",
)  # fmt: skip
# Variables that choose instructions or precision below the libraries' own settings; recorded where set.
_VARIABLES = (
    "CUBLAS_WORKSPACE_CONFIG",
    "DNNL_DEFAULT_FPMATH_MODE",
    "DNNL_MAX_CPU_ISA",
    "MKL_CBWR",
    "MKL_ENABLE_INSTRUCTIONS",
    "NUMBA_CPU_FEATURES",
    "NUMBA_CPU_NAME",
    "NUMBA_OPT",
    "NVIDIA_TF32_OVERRIDE",
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "ONEDNN_MAX_CPU_ISA",
    "OPENBLAS_CORETYPE",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
)


class CannotReproduce(TdwError):
    """This environment does not give the bits that are already in the store."""


def code_version(family: Family) -> str:
    """Version of the code that trains a family: the loop's, and the family's own where it has one."""
    return f"{LOOP_VERSION}.{family.code_version}" if family.code_version else LOOP_VERSION


def resolve_device(device: str) -> str:
    """The device that "auto", "cpu" or "cuda" stands for here.

    Raises:
        BadConfig: an unknown name, or CUDA where there is none.
    """
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device not in ("cpu", "cuda"):
        raise BadConfig(f"device is {device!r}", "use auto, cpu or cuda")
    if device == "cuda" and not torch.cuda.is_available():
        raise BadConfig(
            "device is 'cuda', but torch sees no CUDA device", "use auto or cpu, or install a CUDA torch"
        )
    return device


def describe_environment(family: Family, *, device: str, form: Form, batch: int = 1) -> dict[str, str]:
    """What decides the bits of a training on `device` ("cpu" or "cuda") in `form`.

    In the batch form the number of variants side by side is a part of it: a library may choose another
    algorithm for another number of products.
    """
    import torch

    environment = {
        "code": code_version(family),
        "tdw": tdw.__version__,
        "torch": torch.__version__,
        "cpu": _cpu_name(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "threads": "1",
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "form": form,
    }
    if form == "numba":
        environment["numba"] = _installed_version("numba")
    if form == "batch":
        environment["batch"] = str(batch)
    return environment | deciding_variables()


def deciding_variables() -> dict[str, str]:
    """Environment variables that decide bits, as one entry of an environment; empty where none is set."""
    found = [f"{name}={os.environ[name]}" for name in _VARIABLES if os.environ.get(name)]
    return {"variables": " ".join(found)} if found else {}


def differences(there: Mapping[str, str], here: Mapping[str, str]) -> list[str]:
    """One line for each decisive entry that differs, in readable words."""
    return [
        f"{name}: {there.get(name, 'not recorded')} when it was made, {here.get(name, 'none')} here"
        for name in DECISIVE
        if there.get(name) != here.get(name)
    ]


def _cpu_name() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _installed_version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
