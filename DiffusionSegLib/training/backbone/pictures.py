"""What a card shows: images given back, images drawn from texts, and attention."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from DiffusionSegLib.backbones.compact.model import CompactDiffusion
from DiffusionSegLib.backbones.compact.sampling import draw_image
from DiffusionSegLib.backbones.latent_diffusion.attention_pass import (
    AttentionRequest,
    run_attention_pass,
)
from DiffusionSegLib.backbones.latent_diffusion.interface import TextEmbedding
from DiffusionSegLib.diffusion.attention.aggregate import aggregate_self_attention
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.backbone.augment import plain_crop
from DiffusionSegLib.training.backbone.pack import Pack, Picture
from DiffusionSegLib.training.backbone.png import png_bytes

__all__ = ["attention_sheet", "reconstruction_sheet", "sample_sheet", "write_pictures"]

_CELL = 72  # pixels of a sheet's cell
_COLUMNS = 8
_DRAWN_SIDE = 128
_READ_SIDE = 256
_TIMESTEP = 100
_PLACES = ((0.5, 0.5), (0.3, 0.3))  # rows and columns, as shares of the sides
_MARK = (1.0, -1.0, -1.0)


def write_pictures(model: CompactDiffusion, pack: Pack, folder: Path, progress: Progress) -> None:
    """reconstructions.png, samples.png and attention.png."""
    shown = _shown(pack)
    progress.report(0.0, "Drawing the card's pictures")
    _write(folder / "reconstructions.png", reconstruction_sheet(model, shown))
    _write(folder / "attention.png", attention_sheet(model, shown))
    _write(folder / "samples.png", sample_sheet(model, pack, shown, progress.part(0.3, 1.0)))


def reconstruction_sheet(model: CompactDiffusion, pictures: Sequence[Picture]) -> list[Tensor]:
    """Images and, below, what the autoencoder gives back."""
    images = [_crop(picture, _DRAWN_SIDE) for picture in pictures]
    return [_row(images), _row([model.decode(model.encode(image)).cpu() for image in images])]


def attention_sheet(model: CompactDiffusion, pictures: Sequence[Picture]) -> list[Tensor]:
    """For two places, images with the place marked and, below, what it looks at."""
    images = [_crop(picture, _READ_SIDE) for picture in pictures]
    maps = [_attention(model, image) for image in images]
    rows = []
    for number, place in enumerate(_PLACES):
        rows.append(_row([_marked(image, place) for image in images]))
        rows.append(_row([one[number] for one in maps]))
    return rows


def sample_sheet(
    model: CompactDiffusion, pack: Pack, pictures: Sequence[Picture], progress: Progress
) -> list[Tensor]:
    """An image drawn from the first caption of each picture."""
    images = []
    for picture in progress.track(pictures, "Drawing samples"):
        rng = torch.Generator().manual_seed(0)
        text = _caption(pack, picture)
        images.append(draw_image(model, text, (_DRAWN_SIDE, _DRAWN_SIDE), rng).cpu())
    return [_row(images)]


def _shown(pack: Pack) -> list[Picture]:
    """One validation picture of each source, of the most sources there is room for."""
    first: dict[str, Picture] = {}
    for picture in pack.part("validation"):
        first.setdefault(picture.source, picture)
    return list(first.values())[:_COLUMNS]


def _caption(pack: Pack, picture: Picture) -> TextEmbedding:
    """States alone: which word is which does not matter here."""
    number = picture.captions[0]
    states = pack.text[number : number + 1].float()
    empty = (None,) * states.shape[1]
    return TextEmbedding(pack.captions[number], states, ("",) * len(empty), empty)


def _crop(picture: Picture, side: int) -> Tensor:
    return plain_crop(picture.pixels, side, torch.Generator().manual_seed(0))[None]


def _attention(model: CompactDiffusion, image: Tensor) -> list[Tensor]:
    """For each place (1, 3, rows, columns) in [-1, 1], brightest where it looks most."""
    maps = run_attention_pass(model, image, AttentionRequest(_TIMESTEP)).self_maps
    weights = [float(one.grid[0]) for one in maps]
    rows, columns = maps[0].grid
    joined = aggregate_self_attention(maps, weights).cpu()
    found = []
    for down, right in _PLACES:
        seen = joined[int(down * rows) * columns + int(right * columns)]
        gray = (seen / seen.max()).sqrt().reshape(1, 1, rows, columns) * 2 - 1
        found.append(gray.expand(1, 3, -1, -1))
    return found


def _marked(image: Tensor, place: tuple[float, float]) -> Tensor:
    """With a red square where the place is."""
    marked = image.clone()
    row, column = (int(share * side) for share, side in zip(place, image.shape[2:], strict=True))
    half = max(1, image.shape[2] // 40)
    marked[0, :, row - half : row + half, column - half : column + half] = torch.tensor(_MARK)[
        :, None, None
    ]
    return marked


def _row(images: Sequence[Tensor]) -> Tensor:
    """(3, cell, cells · cell)."""
    size = (_CELL, _CELL)
    cells = [F.interpolate(one, size, mode="bilinear", antialias=True)[0] for one in images]
    return torch.cat(cells, dim=2)


def _write(path: Path, rows: Sequence[Tensor]) -> None:
    sheet = torch.cat(list(rows), dim=1).clamp(-1, 1).permute(1, 2, 0)
    pixels = ((sheet + 1) * 127.5).round().to(torch.uint8).numpy()
    path.write_bytes(png_bytes(np.ascontiguousarray(pixels)))
