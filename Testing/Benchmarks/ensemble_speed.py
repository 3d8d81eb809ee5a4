"""The 30-sample ensemble at cDAL's lung configuration against the authors' way of drawing it.

    python Testing/Benchmarks/ensemble_speed.py [--samples 30] [--device cpu] [--json FILE]

Each way runs in a process of its own with the same settings and the same random weights, image and
noise. "authors": all samples in one batch, the condition encoder applied to every copy at every
step. "exact": this package in float32. "default": what is shipped (bfloat16 where it is native).
"adaptive": default, and drawing stops when the outline no longer changes. The authors' network is
our own implementation of it, so its faster filters help both sides. A second table compares exact
and default arithmetic on real images with the bundled models (Dice against the truth).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from DiffusionSegLib.compute.device import prefers_bfloat16
from DiffusionSegLib.diffusion.variance_preserving import (
    VariancePreservingConfig,
    VariancePreservingProcess,
)
from DiffusionSegLib.methods.cdal.config import RELEASED_GENERATORS
from DiffusionSegLib.methods.cdal.ensemble import EnsembleSettings, draw_ensemble
from DiffusionSegLib.methods.cdal.generator import Generator
from DiffusionSegLib.methods.cdal.masks import foreground_probability

WAYS = ("authors", "exact", "default", "adaptive")
SIDE = 256


def build(device: str) -> tuple[Generator, VariancePreservingProcess, torch.Tensor]:
    """The lung network with random weights that make a non-trivial mask, and an image."""
    torch.manual_seed(0)
    network = Generator(RELEASED_GENERATORS["lung"]).eval().requires_grad_(False)
    for parameter in network.parameters():
        if parameter.ndim > 1:
            parameter.data = torch.randn(parameter.shape) / parameter[0].numel() ** 0.5
    process = VariancePreservingProcess(VariancePreservingConfig(2))
    ramp = torch.linspace(-1, 1, SIDE)
    image = torch.sin(6 * ramp)[None, :, None] * torch.cos(5 * ramp)[None, None, :]
    return network.to(device), process, image.to(device)


@torch.inference_mode()
def authors(samples: int, device: str) -> torch.Tensor:
    """One batch of all samples; the same noise as the other ways draw, sample by sample."""
    network, process, image = build(device)
    rng = torch.Generator().manual_seed(0)
    size = network.config.latent_size
    shapes = [(1, SIDE, SIDE), (size,), (1, SIDE, SIDE), (size,)]
    draws = [[torch.randn((1, *s), generator=rng) for s in shapes] for _ in range(samples)]
    x, z1, noise, z0 = (torch.cat(part).to(device) for part in zip(*draws, strict=True))
    images = image[None].expand(samples, -1, -1, -1)
    for t, latent in ((1, z1), (0, z0)):
        clean = network(x, torch.full((samples,), t, device=device), images, latent)
        x = process.posterior(clean, x, t, noise if t > 0 else None).sample
    return foreground_probability(x, 1).mean(0)


def ours(way: str, samples: int, device: str) -> torch.Tensor:
    """This package's ensemble."""
    network, process, image = build(device)
    fast = way != "exact" and prefers_bfloat16(device)
    settings = EnsembleSettings(samples, 0.01 if way == "adaptive" else 0.0)
    rng = torch.Generator().manual_seed(0)
    with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=fast):
        return draw_ensemble(network, process, image, 1, settings, rng).mean


def measure(way: str, samples: int, device: str, out: Path) -> None:
    """Run one way in this process; write its map and figures."""
    build(device)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, cpu = time.monotonic(), time.process_time()
    mean = authors(samples, device) if way == "authors" else ours(way, samples, device)
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    figures = {
        "wall_s": time.monotonic() - wall,
        "cpu_s": time.process_time() - cpu,
        "peak_mb": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
    }
    np.save(out / f"{way}.npy", mean.float().cpu().numpy())
    (out / f"{way}.json").write_text(json.dumps(figures))


def compare(samples: int, device: str, threads: int) -> list[dict[str, float | str]]:
    """All ways, each in a fresh process."""
    rows: list[dict[str, float | str]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for way in WAYS:
            command = [sys.executable, __file__, "--way", way, "--samples", str(samples)]
            command += ["--device", device, "--folder", name]
            environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
            subprocess.run(command, check=True, env=environment)
            figures = json.loads((folder / f"{way}.json").read_text())
            difference = np.abs(np.load(folder / f"{way}.npy") - np.load(folder / "authors.npy"))
            rows.append({"way": way, **figures, "largest_difference": float(difference.max())})
    for row in rows:
        for key in ("wall_s", "cpu_s", "peak_mb"):
            row[f"{key}_ratio"] = float(rows[0][key]) / max(float(row[key]), 1e-9)
    return rows


def real_images(limit: int, device: str) -> list[dict[str, float | str]]:
    """Mean Dice of every bundled model's shipped samples with exact and with default arithmetic."""
    from DiffusionSegLib import Image, Mask, Session

    root = Path(__file__).resolve().parents[2] / "Resources"
    entries = json.loads((root / "Samples" / "samples.json").read_text())
    samples = (entries["samples"] if isinstance(entries, dict) else entries)[:limit]
    rows: list[dict[str, float | str]] = []
    for entry in samples:
        row: dict[str, float | str] = {"sample": entry["id"]}
        image = Image.read([root / "Samples" / path for path in entry["images"]])
        truth = Mask.read(root / "Samples" / entry["label"]).array > 0
        for precision in ("float32", "auto"):
            method, model = entry["model"].split("/")
            parameters = {"precision": precision, "tolerance": 0.0}
            session = Session(method, model, device, parameters=parameters)
            session.set_image(image)
            found = session.propose().mask().array > 0
            shared = 2 * (found & truth).sum()
            row[precision] = float(shared / max(1, found.sum() + truth.sum()))
        rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=30)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--real", type=int, default=100, help="shipped samples to compare Dice on")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.way:
        measure(args.way, args.samples, args.device, args.folder)
        return
    rows = compare(args.samples, args.device, args.threads)
    print(f"{args.samples} samples, {SIDE}x{SIDE}, T = 2, {args.device}, {args.threads} thread(s)")
    print(f"{'way':9} {'cpu s':>7} {'ratio':>6} {'peak MB':>8} {'ratio':>6} {'max diff':>9}")
    for row in rows:
        print(
            f"{row['way']:9} {row['cpu_s']:7.2f} {row['cpu_s_ratio']:6.2f} {row['peak_mb']:8.0f} "
            f"{row['peak_mb_ratio']:6.1f} {row['largest_difference']:9.1e}"
        )
    torch.set_num_threads(args.threads)
    real = real_images(args.real, args.device)
    for row in real:
        change = float(row["auto"]) - float(row["float32"])
        print(f"{row['sample']}: Dice float32 {row['float32']:.4f}, default {change:+.4f}")
    if args.json:
        args.json.write_text(json.dumps({"ensemble": rows, "real": real}, indent=1))


if __name__ == "__main__":
    main()
