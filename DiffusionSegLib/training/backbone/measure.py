"""How well the autoencoder gives whole images back."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from DiffusionSegLib.backbones.compact.model import CompactDiffusion
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.backbone.autoencoder_stage import peak_ratio
from DiffusionSegLib.training.backbone.pack import Pack, Picture

__all__ = ["reconstruction_metrics", "whole_image"]

_MOST = 8  # pictures of a source


def reconstruction_metrics(
    model: CompactDiffusion, pack: Pack, progress: Progress
) -> list[dict[str, Any]]:
    """For each source with a validation part: its mean peak ratio in dB and absolute difference.

    The difference is of intensities from 0 to 1. Pictures are given whole, and enlarged where they
    are small, as methods do.
    """
    pools: dict[str, list[Picture]] = {}
    for picture in pack.part("validation"):
        pools.setdefault(picture.source, []).append(picture)
    found = []
    for source in progress.track(sorted(pools), "Measuring reconstructions"):
        step = max(1, len(pools[source]) // _MOST)
        chosen = pools[source][::step][:_MOST]
        values = [_compare(model, whole_image(p.pixels, model.image_multiple)) for p in chosen]
        ratio, difference = torch.tensor(values).mean(0).tolist()
        found.append(
            {
                "split": "validation",
                "source": source,
                "pictures": len(chosen),
                "psnr_db": round(ratio, 2),
                "l1": round(difference, 4),
            }
        )
    return found


def whole_image(pixels: Tensor, multiple: int, least: int = 128) -> Tensor:
    """(1, 3, rows, columns) in [-1, 1]: both sides scaled to the next multiple, the short one to
    ``least`` at least."""
    image = pixels[None].float() / 255
    scale = max(1.0, least / min(image.shape[2:]))
    size = [max(1, round(side * scale / multiple)) * multiple for side in image.shape[2:]]
    image = F.interpolate(image, size, mode="bilinear", antialias=True)
    return image.expand(1, 3, -1, -1) * 2 - 1


def _compare(model: CompactDiffusion, image: Tensor) -> tuple[float, float]:
    made = model.decode(model.encode(image)).cpu()
    return peak_ratio(made, image), float((made - image).abs().mean()) / 2
