"""Peak memory of outlining a large volume, above the loaded model, in units of the volume's size.

    python -m Testing.Benchmarks.memory
    python -m Testing.Benchmarks.memory sarcoma --shape 300 512 512

A real volume is tiled to the wanted size, noise is added, and it is stored as uncompressed NRRD
(16-bit integers). A fresh process loads the model and outlines a tiny volume, so that everything
that is needed once is there; then it does what `diffusionseg segment` does: read, prepare, draw,
outline, write .seg.nrrd. The resident memory's peak (Linux: VmHWM of /proc/self/status, reset
before every stage) minus its size before is printed per stage. The target for the whole is 2.5.
One sample is drawn, since samples follow each other and share their memory; --samples draws more.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from Testing.Benchmarks.common import chosen_models, conditions, execute, new_parser, tell
from Testing.Benchmarks.datasets import SAMPLES
from Testing.Benchmarks.tables import Row, Table

TARGET = 2.5
_ROOT = Path(__file__).resolve().parents[2]
_SAMPLE = SAMPLES / "sts_ct_mr" / "images" / "STS_021_ct.nii.gz"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = new_parser(__doc__, data=False)
    parser.set_defaults(models=["sarcoma"])
    parser.add_argument("--image", type=Path, default=_SAMPLE, help="real volume to tile")
    parser.add_argument("--channel", default="CT", help="what it is among the model's inputs")
    parser.add_argument("--shape", type=int, nargs=3, default=(300, 512, 512), metavar="N",
                        help="slices, rows, columns (default 300 512 512)")  # fmt: skip
    parser.add_argument("--spacing", type=float, nargs=3, default=(0.37, 0.37, 0.74), metavar="MM",
                        help="along i, j, k (default 0.37 0.37 0.74, one window)")  # fmt: skip
    parser.add_argument("--samples", type=int, default=1, help="size of the ensemble (default 1)")
    return execute(parser, run, arguments)


def run(args: argparse.Namespace) -> int:
    """Exit code 1 when the target is missed."""
    if not sys.platform.startswith("linux"):
        tell("Peak memory is read from /proc, which only Linux has; nothing was measured.")
        return 0
    rows: list[Row] = []
    worst = 0.0
    with tempfile.TemporaryDirectory() as place:
        tiny, large = Path(place) / "tiny.nrrd", Path(place) / "large.nrrd"
        size = _write_volumes(args, tiny, large)
        for entry in chosen_models(args):
            tell(f"{entry.name}: {size / 1e6:.0f} MB")
            peaks = _measure(entry, args, tiny, large, Path(place) / "out.seg.nrrd")
            worst = max(worst, peaks["whole"] / size)
            rows += [
                {"model": entry.name, "stage": stage, "peak MB": round(peak / 1e6),
                 "of the volume": round(peak / size, 2)}
                for stage, peak in peaks.items()
            ]  # fmt: skip
    told = conditions(
        args,
        volume=f"{' x '.join(map(str, args.shape))} int16",
        target=TARGET,
        samples=args.samples,
    )
    told["split"] = "none (a made-up volume)"
    Table("Peak memory above the loaded model", told, rows).publish(args.json)
    return 0 if worst <= TARGET else 1


def _write_volumes(args: argparse.Namespace, tiny: Path, large: Path) -> int:
    """The tiny and the large volume; returns the large one's bytes."""
    real = Image.read(args.image).array[0]
    rng = np.random.default_rng(args.seed)
    _write_raw_nrrd(tiny, real[: min(24, len(real)), :64, :64].astype(np.int16), args.spacing)
    shape = tuple(args.shape)
    volume = np.empty(shape, np.int16)
    repeats = [-(-wanted // there) for wanted, there in zip(shape[1:], real.shape[1:], strict=True)]
    for k in range(shape[0]):
        # Every other repetition is mirrored, so that the tiles join without a step.
        turn = k // len(real) % 2
        source = real[len(real) - 1 - k % len(real) if turn else k % len(real)]
        plane = np.tile(source, repeats)[: shape[1], : shape[2]]
        volume[k] = plane + rng.normal(0, 5, shape[1:])
    _write_raw_nrrd(large, volume, args.spacing)
    return int(volume.nbytes)


def _write_raw_nrrd(path: Path, array: np.ndarray, spacing: Sequence[float]) -> None:
    """Our own writer always compresses; a scanner's export often does not."""
    i, j, k = spacing
    geometry = Geometry((array.shape[0], array.shape[1], array.shape[2]), (i, j, k))
    axes = " ".join(f"({x},{y},{z})" for x, y, z in (geometry.ijk_to_lps[:3, :3].T).tolist())
    header = (
        "NRRD0004\ntype: int16\ndimension: 3\nspace: left-posterior-superior\n"
        f"sizes: {' '.join(map(str, array.shape[::-1]))}\nspace directions: {axes}\n"
        "kinds: domain domain domain\nendian: little\nencoding: raw\nspace origin: (0,0,0)\n\n"
    )
    with path.open("wb") as stream:
        stream.write(header.encode())
        array.astype("<i2").tofile(stream)


def _measure(
    entry: ModelEntry, args: argparse.Namespace, tiny: Path, large: Path, out: Path
) -> dict[str, int]:
    """Bytes above the loaded model, by stage and for the whole."""
    numbers = [args.seed, args.threads or 0, args.samples]
    words = [entry.name, args.channel, args.device, *map(str, numbers)]
    command = [sys.executable, "-m", "Testing.Benchmarks.memory_child", *words]
    done = subprocess.run(
        [*command, str(tiny), str(large), str(out)],
        cwd=_ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise DiffusionSegError(f"The measured process failed:\n{done.stderr}")
    peaks: dict[str, int] = json.loads(done.stdout)
    return peaks


if __name__ == "__main__":
    raise SystemExit(main())
