"""GPUs that this machine lacks: the attributes of torch that the code reads of them, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import torch as real

GIB = 2**30


@dataclass(frozen=True)
class Gpus:
    """names: "cuda:0", "xpu:1", "mps", that are counted; broken: what the smallest computation
    raises there; silent: whose memory is not told; refusal: what torch.cuda.init() raises."""

    names: tuple[str, ...] = ()
    broken: Mapping[str, str] = field(default_factory=dict)
    cuda_build: str | None = None
    hip_build: str | None = None
    xpu_build: str | None = None
    mps_build: bool = False
    version: str = "2.13.0"
    title: str = "A GPU"
    capability: tuple[int, int] = (8, 6)
    architecture: str = "gfx90a"
    kernels: tuple[str, ...] = ("sm_75", "sm_80", "sm_86", "sm_90")
    total: int = 8 * GIB
    free: int = 6 * GIB
    silent: tuple[str, ...] = ()
    refusal: str = ""

    def torch(self) -> Any:
        """What takes the place of torch."""
        return SimpleNamespace(
            __version__=self.version,
            version=SimpleNamespace(cuda=self.cuda_build, hip=self.hip_build),
            cuda=self._module("cuda"),
            xpu=self._module("xpu", _is_compiled=lambda: self.xpu_build is not None),
            mps=SimpleNamespace(),
            backends=SimpleNamespace(
                mps=SimpleNamespace(
                    is_available=lambda: "mps" in self.names, is_built=lambda: self.mps_build
                )
            ),
            ones=self._ones,
            get_num_threads=real.get_num_threads,
        )

    def _module(self, kind: str, **more: Callable[[], Any]) -> Any:
        count = sum(name.startswith(kind) for name in self.names)
        properties = SimpleNamespace(total_memory=self.total, gcnArchName=self.architecture)
        return SimpleNamespace(
            is_available=lambda: count > 0,
            is_initialized=lambda: count > 0,
            init=self._init,
            device_count=lambda: count,
            get_device_name=lambda index: self.title,
            get_device_properties=lambda index: properties,
            get_device_capability=lambda index: self.capability,
            get_arch_list=lambda: list(self.kernels),
            is_bf16_supported=lambda including_emulation=True: True,
            mem_get_info=lambda index: self._memory(f"{kind}:{index}"),
            **more,
        )

    def _init(self) -> None:
        if self.refusal:
            raise RuntimeError(self.refusal)

    def _memory(self, name: str) -> tuple[int, int]:
        if name in self.silent:
            raise RuntimeError("The device doesn't support querying the available free memory.")
        return self.free, self.total

    def _ones(self, count: int, device: str) -> Any:
        if device in self.broken:
            raise RuntimeError(self.broken[device])
        return real.ones(count)
