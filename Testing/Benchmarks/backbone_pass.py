"""What one pass of the bundled backbone costs: encoding, the denoising network, all its maps.

    python -m Testing.Benchmarks.backbone_pass
    python -m Testing.Benchmarks.backbone_pass --sizes 256 512 --passes 5

The median of some passes over a random image, in processor seconds. Target: at 256 x 256 encoding
and one pass of the network take less than a second on one thread.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from DiffusionSegLib.backbones.compact.model import METHOD, CompactDiffusion, open_compact
from DiffusionSegLib.backbones.latent_diffusion.attention_pass import (
    AttentionRequest,
    run_attention_pass,
)
from DiffusionSegLib.backbones.store import ModelStore
from Testing.Benchmarks.common import clock, conditions, execute, tell
from Testing.Benchmarks.tables import Row, Table

MOST_SECONDS = 1.0
_MEASURED = 256
_TIMESTEP = 100


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[_MEASURED, 512], metavar="SIDE")
    parser.add_argument("--passes", type=int, default=5, help="of each size (default 5)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    parser.add_argument("--threads", type=int, default=1, help="of torch on the CPU (default 1)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the table as JSON")
    return execute(parser, run, arguments)


def run(args: argparse.Namespace) -> int:
    """Exit code 1 when the target is missed."""
    model = open_compact(ModelStore().find(METHOD), args.device)
    rows = [measure(model, size, args) for size in args.sizes]
    told = conditions(args, passes=args.passes) | {"split": "none (random image)"}
    Table("One pass of the bundled backbone", told, rows).publish(args.json)
    return 0 if all(reached(row) for row in rows) else 1


def measure(model: CompactDiffusion, size: int, args: argparse.Namespace) -> Row:
    """Seconds of each part for a square image."""
    tell(f"{size} x {size}")
    rng = torch.Generator().manual_seed(args.seed)
    image = torch.rand(1, 3, size, size, generator=rng) * 2 - 1
    latent, text = model.encode(image), model.embed_text("")

    def median(part: Callable[[], object]) -> float:
        times = []
        for _ in range(args.passes + 1):
            begun = clock(args.device)
            part()
            times.append(clock(args.device) - begun)
        return statistics.median(times[1:])  # the first one also prepares

    return {
        "pixels": f"{size} x {size}",
        "encode s": median(lambda: model.encode(image)),
        "network s": median(lambda: model.denoise(latent, _TIMESTEP, text)),
        "encode and maps s": median(
            lambda: run_attention_pass(model, image, AttentionRequest(_TIMESTEP))
        ),
    }


def reached(row: Row) -> bool:
    """Larger images have no target."""
    if row["pixels"] != f"{_MEASURED} x {_MEASURED}":
        return True
    return float(row["encode s"]) + float(row["network s"]) < MOST_SECONDS


if __name__ == "__main__":
    sys.exit(main())
