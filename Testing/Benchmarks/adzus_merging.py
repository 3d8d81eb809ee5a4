"""Time of merging attention maps to regions against the published loops, on the same maps.

    python -m Testing.Benchmarks.adzus_merging
    python -m Testing.Benchmarks.adzus_merging --side 32 --anchors 8 --taus 0.3 1.0

"loops" is a straightforward NumPy port (Testing/Library/reference/diffseg_reference.py): one anchor
after the other, each against all maps. Both get one aggregated tensor of made-up attention maps at
Stable Diffusion's four resolutions (64, 32, 16 and 8 places a side). The label maps after
upsampling to eight times the side must be equal. The target for the ratio is 40.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from DiffusionSegLib.methods.adzus.anchors import anchor_places
from DiffusionSegLib.methods.adzus.labeling import label_pixels
from DiffusionSegLib.methods.adzus.merging import merge_maps
from DiffusionSegLib.methods.adzus.regions import aggregate_by_resolution
from Testing.Benchmarks.common import clock, execute, tell
from Testing.Benchmarks.tables import Row, Table
from Testing.Library.methods.adzus.made_maps import made_maps
from Testing.Library.reference import diffseg_reference as reference

TARGET = 40.0
ROUNDS = 3
_REPEATS = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", choices=["cpu"], default="cpu", help="the loops know only this")
    parser.add_argument("--threads", type=int, default=1, help="of torch (default 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the table as JSON")
    parser.add_argument("--side", type=int, default=64, help="places a side (default 64)")
    parser.add_argument("--anchors", type=int, default=16, help="a side (default 16)")
    parser.add_argument("--taus", type=float, nargs="+", default=[0.9], help="default 0.9")
    return execute(parser, run, arguments)


def run(args: argparse.Namespace) -> int:
    """Exit code 1 when labels differ or the ratio is below the target."""
    side = args.side
    whole = aggregate_by_resolution(made_maps(tuple(side >> n for n in range(4))), 1.0)
    rows = [_compare(whole, side, args.anchors, tau) for tau in args.taus]
    told = {"split": "none (made-up maps)", "device": "cpu", "threads": torch.get_num_threads()}
    told |= {"torch": str(torch.__version__), "maps": f"{side * side} of {side} x {side}"}
    told |= {"anchors": args.anchors**2, "rounds": ROUNDS, "target ratio": TARGET}
    Table("Merging attention maps, processor seconds", told, rows).publish(args.json)
    fine = all(row["labels equal"] == "yes" and float(row["ratio"]) >= TARGET for row in rows)
    return 0 if fine else 1


def _compare(whole: torch.Tensor, side: int, anchors: int, tau: float) -> Row:
    tell(f"tau {tau}: ours")
    places = anchor_places((side, side), anchors)
    times = []
    for _ in range(_REPEATS):
        start = clock("cpu")
        ours = merge_maps(whole, places, tau, ROUNDS).proposals
        times.append(clock("cpu") - start)
    tell(f"tau {tau}: loops")
    square = whole.numpy().reshape((side,) * 4)
    start = clock("cpu")
    theirs = reference.merge(square, anchors, tau, ROUNDS)
    slow = clock("cpu") - start
    size = 8 * side
    wanted = reference.label(theirs, side, size)
    found = label_pixels(ours, (side, side), (size, size)).numpy()
    same = len(theirs) == len(ours) and bool(np.array_equal(found, wanted))
    fast = sorted(times)[len(times) // 2]
    return {
        "tau": tau,
        "regions": len(ours),
        "loops s": round(slow, 2),
        "ours s": round(fast, 3),
        "ratio": round(slow / fast, 1),
        "labels equal": "yes" if same else f"no ({int((found != wanted).sum())} pixels)",
    }


if __name__ == "__main__":
    raise SystemExit(main())
