"""What windows around the mask save when a lesion is made healthy, and whether they change it.

    python -m Testing.Benchmarks.inpainting_speed
    python -m Testing.Benchmarks.inpainting_speed plane --shares 5 --steps 20

plane: the bundled compact model, slice by slice, on the sarcoma CT of the samples, each slice
enlarged to --side voxels. volume: MAISI's networks, made small and with random weights, on a cube
of --cube voxels. Lesions are ellipsoids in the middle. Compared are, with the same networks, steps
and noise, in processor seconds:

- windows: the library's way.
- all windows: the same layout over everything, every step and every slice; what it makes of the
  masked voxels is compared, as the latent and as the image in [0, 1].
- one pass: each slice, or the volume, whole at each step and decoded whole; its result is another,
  since the networks see more at once.

All decode the latent as it was too, which residuals need; encoding is left out, for all need it. Of
the slices, the two slow ways run every Nth only (--every), which counts N times. Targets: for 5 %
of the volume 4 times as fast as each of the two, and differences of 1e-3 at most. The second table
has one lesion in a volume and in one of twice the length. Windows are fitted to the lesion here,
which is what speed costs in quality: see PseudoHealthySettings, whose own default is 64.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import SimpleITK as sitk
import torch
from torch import Tensor
from torch.nn import functional as F

from DiffusionSegLib.backbones.generative.interface import GenerativeBackbone, ScanFacts
from DiffusionSegLib.backbones.generative.opening import open_generative
from DiffusionSegLib.backbones.maisi.variants import find_variant
from DiffusionSegLib.diffusion.inpainting import inpaint
from DiffusionSegLib.diffusion.latent_windows import Window
from DiffusionSegLib.diffusion.seeded_noise import SeededNoise, mixed_seed
from DiffusionSegLib.diffusion.windowed_pass import Placed, run_in_windows
from DiffusionSegLib.methods.diffugts.inpainting_plan import (
    InpaintingPlan,
    PseudoHealthySettings,
    as_items,
)
from DiffusionSegLib.methods.diffugts.pseudo_healthy import PseudoHealthy, pseudo_healthy
from DiffusionSegLib.progress import Progress
from Testing.Benchmarks.common import clock, conditions, execute, tell
from Testing.Benchmarks.datasets import SAMPLES
from Testing.Benchmarks.ellipsoid import centred_ellipsoid
from Testing.Benchmarks.maisi_networks import random_model
from Testing.Benchmarks.tables import Row, Table

LEAST_RATIO = 4.0
MOST_DIFFERENCE = 1e-3
_MEASURED = 5.0
_CT = SAMPLES / "sts_ct_mr" / "images" / "STS_021_ct.nii.gz"
_HU = (-160.0, 240.0)
_SMALL: dict[str, Any] = {
    "autoencoder": {"channels": [4, 8, 8], "groups": 4},
    "denoiser": {
        "channels": [16, 32], "res_blocks": 1, "attention": [False, True],
        "head_channels": [0, 16], "groups": 8,
    },
}  # fmt: skip
KINDS = ("plane", "volume")


@dataclass(frozen=True)
class Bench:
    """latent: of every item, at hand for all ways. sampled: the items that slow ways run."""

    name: str
    backbone: GenerativeBackbone
    picture: Tensor
    latent: Tensor
    settings: PseudoHealthySettings
    device: str
    sampled: range

    @property
    def weight(self) -> float:
        """Items for each that is run."""
        return len(self.latent) / len(self.sampled)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)}")
    parser.add_argument("--shares", type=float, nargs="+", default=[1, 2, 5, 20], metavar="PERCENT")
    parser.add_argument("--side", type=int, default=256, help="of a slice (default 256)")
    parser.add_argument("--cube", type=int, default=192, help="side of the volume (default 192)")
    parser.add_argument("--window", type=int, default=48, help="longest side (default 48 places)")
    parser.add_argument("--smallest", type=int, default=16, help="window (default 16 places)")
    parser.add_argument("--every", type=int, default=8, metavar="N", help="slice (default 8)")
    parser.add_argument("--steps", type=int, default=5, help="of denoising (default 5)")
    parser.add_argument("--seeds", type=int, default=1, help="images at once (default 1)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    parser.add_argument("--threads", type=int, default=1, help="of torch on the CPU (default 1)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the table as JSON")
    return execute(parser, run, arguments)


def run(args: argparse.Namespace) -> int:
    """Exit code 1 when a target is missed."""
    settings = PseudoHealthySettings(
        steps=args.steps, seeds=args.seeds, window=args.window, smallest_window=args.smallest
    )
    rows: list[Row] = []
    growth: list[Row] = []
    for kind in args.kinds or KINDS:
        backbone = open_plane(args) if kind == "plane" else open_volume(args)
        picture = plane_picture(args.side) if kind == "plane" else cube_picture(args.cube)
        bench = bench_of(backbone, picture, settings, args)
        rows += [measure(bench, share, args.seed) for share in args.shares]
        growth += measure_growth(bench, min(args.shares), args.seed)
    told = conditions(args, steps=args.steps, seeds=args.seeds, every=args.every)
    told["split"] = "none (speed only)"
    Table("Windows around the mask and everything", told, rows).publish(args.json)
    Table("The same lesion in two volumes", told, growth).publish(None)
    return 0 if all(reached(row) for row in rows) else 1


def reached(row: Row) -> bool:
    """Differences always count, ratios where there is a target."""
    if max(row["latent differs"], row["image differs"]) > MOST_DIFFERENCE:
        return False
    ratios = (row["all windows / windows"], row["one pass / windows"])
    return row["lesion %"] != _MEASURED or min(ratios) >= LEAST_RATIO


def open_plane(args: argparse.Namespace) -> GenerativeBackbone:
    """The bundled model."""
    return open_generative({"kind": "compact", "name": "compact"}, args.device)


def open_volume(args: argparse.Namespace) -> GenerativeBackbone:
    """MAISI's rectified flow in miniature."""
    return random_model(find_variant("rflow-ct").changed(_SMALL), args.device, args.seed)


def plane_picture(side: int) -> Tensor:
    """(1, 1, slices, side, side) of the sample, in [0, 1]."""
    volume = torch.from_numpy(sitk.GetArrayFromImage(sitk.ReadImage(str(_CT)))).float()
    shown = ((volume - _HU[0]) / (_HU[1] - _HU[0])).clamp(0, 1)[:, None]
    return F.interpolate(shown, (side, side), mode="bilinear").transpose(0, 1)[None]


def cube_picture(side: int) -> Tensor:
    """Smooth noise: what is shown decides nothing here."""
    coarse = torch.rand(1, 1, 8, 8, 8, generator=torch.Generator().manual_seed(0))
    return F.interpolate(coarse, (side, side, side), mode="trilinear")


def bench_of(
    backbone: GenerativeBackbone,
    picture: Tensor,
    settings: PseudoHealthySettings,
    args: argparse.Namespace,
) -> Bench:
    """With the latent of every slice."""
    items = as_items(picture, backbone.dims)
    tell(f"encoding {tuple(picture.shape[2:])} for {backbone.name}")
    latent = torch.cat([backbone.encode(item[None]).latent for item in items])
    sampled = range(len(latent) // 2 % args.every, len(latent), args.every)  # with the middle one
    name = backbone.name
    return Bench(name, backbone, picture, latent, settings, args.device, sampled)


def lesion(sides: Sequence[int], percent: float) -> Tensor:
    """bool (*sides), an ellipsoid in the middle that is so much of the volume."""
    radius = (percent / 100 * 6 / math.pi) ** (1 / 3)
    return torch.from_numpy(centred_ellipsoid(sides, (radius, radius, radius)))


def measure(bench: Bench, percent: float, seed: int) -> Row:
    """One lesion, three ways."""
    tell(f"{bench.name}: {percent} %")
    mask = lesion(bench.picture.shape[2:], percent)
    found, windows_s = timed(bench, partial(by_windows, bench, mask, seed))
    worst, every_s = timed(bench, partial(by_all_windows, bench, found, seed))
    _, whole_s = timed(bench, partial(in_one_pass, bench, found.plan, seed))
    every_s, whole_s = every_s * bench.weight, whole_s * bench.weight
    return {
        "network": bench.name,
        "lesion %": percent,
        "window": " x ".join(map(str, found.plan.window)),
        "windows s": windows_s,
        "all windows s": every_s,
        "one pass s": whole_s,
        "all windows / windows": every_s / windows_s,
        "one pass / windows": whole_s / windows_s,
        "latent differs": worst[0],
        "image differs": worst[1],
    }


def measure_growth(bench: Bench, percent: float, seed: int) -> list[Row]:
    """The lesion in a volume of twice the slices, or of the doubled first side."""
    mask = lesion(bench.picture.shape[2:], percent)
    rows: list[Row] = []
    for times in (1, 2):
        longer = replace(
            bench,
            picture=torch.cat([bench.picture] * times, dim=2),
            latent=torch.cat([bench.latent] * times, dim=0 if bench.backbone.dims == 2 else 2),
        )
        placed = torch.zeros(longer.picture.shape[2:], dtype=torch.bool)
        placed[: len(mask)] = mask
        _, seconds = timed(longer, partial(by_windows, longer, placed, seed))
        sides = " x ".join(map(str, placed.shape))
        rows.append({"network": bench.name, "voxels": sides, "windows s": seconds})
    return rows


def timed(bench: Bench, work: Any) -> tuple[Any, float]:
    """Its result and its seconds."""
    begun = clock(bench.device)
    result = work()
    return result, clock(bench.device) - begun


def by_windows(bench: Bench, mask: Tensor, seed: int) -> PseudoHealthy:
    """The library's way."""
    condition = bench.backbone.condition(ScanFacts(modality="ct"))
    return pseudo_healthy(
        bench.backbone, bench.picture, bench.latent, mask, condition, bench.settings, seed
    )


def by_all_windows(bench: Bench, found: PseudoHealthy, seed: int) -> tuple[float, float]:
    """The largest differences in the latent and in the masked voxels of the image."""
    plan, factor = found.plan, bench.backbone.factor
    latent_differs = image_differs = 0.0
    for item in bench.sampled:
        number = plan.items.index(item) if item in plan.items else None
        latent, image = one_item(bench, plan, item, seed, plan.layouts[number or 0].windows())
        if number is None:
            continue
        inside = (slice(None), slice(None), *plan.box)
        difference = (bench.latent[[item]] - latent)[inside]
        differs = (difference - found.latent_difference[:, number]).abs()
        latent_differs = max(latent_differs, float(differs.max()))
        voxels = tuple(slice(s.start * factor, s.stop * factor) for s in plan.box)
        differs = (image[:, 0][(slice(None), *voxels)] - found.images[:, number]).abs()
        image_differs = max(image_differs, float(differs[:, found.filled[number]].max()))
    return latent_differs, image_differs


def in_one_pass(bench: Bench, plan: InpaintingPlan, seed: int) -> None:
    """Every item whole."""
    for item in bench.sampled:
        one_item(bench, plan, item, seed, None)


@torch.no_grad()
def one_item(
    bench: Bench, plan: InpaintingPlan, item: int, seed: int, windows: list[Window] | None
) -> tuple[Tensor, Tensor]:
    """Latent and image of every seed; windows: None passes it whole."""
    backbone, settings = bench.backbone, bench.settings
    condition, seeds = backbone.condition(ScanFacts(modality="ct")), settings.seeds
    known = bench.latent[[item]].repeat(seeds, *[1] * (bench.latent.ndim - 1))
    batch = max(1, settings.places_at_once // math.prod(plan.window))
    placed = [Placed(row, window) for row in range(seeds) for window in windows or []]

    def passed(network: Any, latents: Tensor, scale: int = 1) -> Tensor:
        if windows is None:
            made: Tensor = network(latents)
            return made
        return run_in_windows(network, latents, placed, batch, scale).values

    def predict(noisy: Tensor, level: float, _: Progress) -> Tensor:
        return passed(lambda pieces: backbone.predict(pieces, level, condition), noisy)

    mask = torch.zeros(1, 1, *known.shape[2:], device=known.device)
    if item in plan.items:
        mask[0, 0] = plan.masks[plan.items.index(item)].float()
    noise = partial(next, draws(plan, item, seed, known))
    filled = inpaint(
        known, mask, backbone.process, predict, noise, settings.path, places=plan.window
    )
    image = passed(backbone.decode, filled, backbone.factor)
    placed = placed[: len(placed) // seeds]
    passed(backbone.decode, known[:1], backbone.factor)
    return filled.cpu(), image.cpu()


def draws(plan: InpaintingPlan, item: int, seed: int, like: Tensor) -> Iterator[Tensor]:
    """Noise over all places: in the plan's box as the library draws it, elsewhere any other."""
    box = [side.stop - side.start for side in plan.box]
    numbers = [mixed_seed(seed, repeat, item) for repeat in range(len(like))]
    inner = SeededNoise(numbers, (like.shape[1], *box), like.device)
    outer = SeededNoise([mixed_seed(number) for number in numbers], like.shape[1:], like.device)
    while True:
        drawn = outer()
        drawn[(slice(None), slice(None), *plan.box)] = inner()
        yield drawn


if __name__ == "__main__":
    sys.exit(main())
