"""MAISI's full networks with random weights: parameters, shapes, and what one use of each costs.

    python -m Testing.Benchmarks.maisi_networks
    python -m Testing.Benchmarks.maisi_networks rflow-ct --sides 64 128 --device cuda

No weights are downloaded: the networks have their published configuration and random numbers in
it, so that shape, memory and time are real and the pictures are not. For every side a volume of so
many voxels cubed is encoded, its latent denoised by one step, and decoded. Memory is the peak above
the loaded networks: torch's own count on a GPU, the resident memory on Linux otherwise.
"""

from __future__ import annotations

import argparse
import ctypes
import math
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from DiffusionSegLib.backbones.generative.interface import ScanFacts
from DiffusionSegLib.backbones.maisi.autoencoder import MaisiAutoencoder, Windows
from DiffusionSegLib.backbones.maisi.model import Maisi
from DiffusionSegLib.backbones.maisi.networks import build_autoencoder, build_denoiser
from DiffusionSegLib.backbones.maisi.variants import VARIANTS, Variant, find_variant
from Testing.Benchmarks.common import clock, conditions, execute, tell
from Testing.Benchmarks.tables import Row, Table

_MEGABYTE = 1 << 20
_LEVEL = 0.5


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "variants", nargs="*", metavar="VARIANT",
        help=f"of {', '.join(VARIANTS)} (default: ddpm-ct and rflow-ct, which the others equal)",
    )  # fmt: skip
    parser.add_argument("--sides", type=int, nargs="+", default=[64], metavar="VOXELS")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    parser.add_argument("--threads", type=int, default=1, help="of torch on the CPU (default 1)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the table as JSON")
    return execute(parser, run, arguments)


def run(args: argparse.Namespace) -> int:
    """Prints the table; there is no target."""
    rows: list[Row] = []
    for name in args.variants or ["ddpm-ct", "rflow-ct"]:
        tell(f"building {name}")
        model = random_model(find_variant(name), args.device, args.seed)
        for side in args.sides:
            rows += measure(model, side, args.device)
    told = conditions(args) | {"split": "none (random volume, random weights)"}
    Table("MAISI's networks", told, rows).publish(args.json)
    return 0


def random_model(variant: Variant, device: str, seed: int) -> Maisi:
    """The variant's networks with random weights, as `open_maisi` would give them."""
    dtype = torch.float16 if device.startswith("cuda") else torch.float32
    autoencoder = build_autoencoder(variant.autoencoder, dtype)
    denoiser = build_denoiser(variant.denoiser, variant.autoencoder.latent_channels)
    networks = [_filled(one, seed).to(device, dtype) for one in (autoencoder, denoiser)]
    pieces = variant.autoencoder.splits if device.startswith("cuda") else 1
    parts = MaisiAutoencoder(networks[0], variant.autoencoder, 1.0, Windows(), pieces)
    return Maisi(variant, parts, networks[1])


def _filled(network: Any, seed: int) -> Any:
    """Weights that keep signals of size one, instead of none."""
    network = network.to_empty(device="cpu")
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in network.parameters():
            fan_in = math.prod(weight.shape[1:]) if weight.ndim > 1 else 16
            weight.normal_(generator=rng).div_(math.sqrt(fan_in))
    return network.eval().requires_grad_(False)


def measure(model: Maisi, side: int, device: str) -> list[Row]:
    """One encoding, one denoising step and one decoding of a cube."""
    tell(f"{model.name}, {side} voxels cubed")
    volume = torch.rand(1, 1, side, side, side, generator=torch.Generator().manual_seed(side))
    condition = model.condition(ScanFacts())
    encoded, encoding = _cost(lambda: model.encode(volume), device)
    output, step = _cost(lambda: model.predict(encoded.latent, _LEVEL, condition), device)
    image, decoding = _cost(lambda: model.decode(encoded.latent), device)
    parts = (
        ("encode", model.autoencoder.network, volume, encoded.latent, encoding),
        ("denoise", model.denoiser, encoded.latent, output, step),
        ("decode", model.autoencoder.network, encoded.latent, image, decoding),
    )
    return [
        {
            "model": model.name, "part": part, "parameters": parameters(network),
            "from": _shape(given), "to": _shape(made), **cost,
        }
        for part, network, given, made, cost in parts
    ]  # fmt: skip


def parameters(network: nn.Module) -> int:
    """How many numbers the network has."""
    return sum(one.numel() for one in network.parameters())


def _shape(tensor: Tensor) -> str:
    return " x ".join(str(side) for side in tensor.shape[1:])


def _cost(compute: Callable[[], Any], device: str) -> tuple[Any, dict[str, Any]]:
    """The result; processor seconds (on a GPU seconds), seconds that pass, and peak megabytes."""
    memory = _GpuPeak() if device.startswith("cuda") else _ResidentPeak()
    begun, since = clock(device), time.monotonic()
    result = compute()
    seconds, waited = clock(device) - begun, time.monotonic() - since
    return result, {"seconds": seconds, "wall s": waited, "peak MiB": memory.megabytes()}


class _GpuPeak:
    """Of torch's allocations since it was made."""

    def __init__(self) -> None:
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        self._base = torch.cuda.memory_allocated()

    def megabytes(self) -> float | None:
        return (torch.cuda.max_memory_allocated() - self._base) / _MEGABYTE


class _ResidentPeak:
    """Of the process's memory since it was made; None where the system does not tell."""

    def __init__(self) -> None:
        self._base: int | None = None
        if sys.platform.startswith("linux"):
            _return_freed_memory()
            Path("/proc/self/clear_refs").write_text("5")
            self._base = _status("VmRSS")

    def megabytes(self) -> float | None:
        return None if self._base is None else (_status("VmHWM") - self._base) / _MEGABYTE


def _return_freed_memory() -> None:
    """glibc keeps what an earlier part has freed, and a later one would seem to need nothing."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) * 1024


if __name__ == "__main__":
    sys.exit(main())
