"""Lesions drawn into healthy images: a blob with its own shade, texture, rim and mass effect.

Our choice; the paper does not speak of synthetic lesions. What is varied follows how tumours are
told from their surroundings: shape (lobed or round, sharp or diffuse), shade (brighter or darker),
texture (smooth, noisy, or taken from elsewhere in the image), a rim or a core of another shade, and
tissue pushed aside.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["add_lesion", "blob"]

_BODY = 0.08  # darker is air, in which nothing grows
_TRIES = 12


def add_lesion(image: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """The image with one lesion, and where it is.

    image: (rows, columns) in [0, 1], float32. Returns the same shapes; the second is bool, and
    empty when no place for a lesion was found.
    """
    depth = blob(image, rng)
    if depth is None:
        return image, torch.zeros_like(image, dtype=torch.bool)
    inside = depth > 0
    pushed = _push_aside(image, depth, rng) if _chance(0.5, rng) else image
    painted = _painted(pushed, depth, inside, rng)
    width = 0.02 + 0.25 * _uniform(rng) ** 2  # of the border, from sharp to diffuse
    share = (depth / width + 0.5).clamp(0, 1)
    share = share * (0.6 + 0.4 * _uniform(rng))
    return torch.lerp(pushed, painted, share).clamp(0, 1), inside


def blob(image: Tensor, rng: torch.Generator) -> Tensor | None:
    """(rows, columns), above 0 inside a blob, by about one at its middle; None for no place.

    The middle lies in the body, and so does most of the blob.
    """
    rows, columns = image.shape
    body = F.avg_pool2d(image[None, None], 5, 1, 2)[0, 0] > _BODY
    places = body.nonzero()
    if len(places) < 50:
        return None
    for _ in range(_TRIES):
        middle = places[int(torch.randint(len(places), (), generator=rng))].float()
        short = float(min(rows, columns))
        radius = short * (0.03 + 0.27 * _uniform(rng) ** 1.5)
        depth = _shape(rows, columns, middle, radius, rng)
        inside = depth > 0
        if inside.sum() >= 12 and body[inside].float().mean() > 0.8:
            return depth.where(body, -depth.abs())
    return None


def _shape(rows: int, columns: int, middle: Tensor, radius: float, rng: torch.Generator) -> Tensor:
    """An ellipse whose border is bent by smooth noise."""
    y = torch.arange(rows)[:, None] - middle[0]
    x = torch.arange(columns)[None] - middle[1]
    angle = torch.tensor(3.1416 * _uniform(rng))
    along = (y * torch.cos(angle) + x * torch.sin(angle)) / (radius * (0.7 + 0.9 * _uniform(rng)))
    across = (x * torch.cos(angle) - y * torch.sin(angle)) / (radius * (0.7 + 0.3 * _uniform(rng)))
    bend = _smooth_noise(rows, columns, radius * (0.5 + _uniform(rng)), rng)
    return 1 - (along**2 + across**2).sqrt() + 0.45 * _uniform(rng) * bend


def _painted(image: Tensor, depth: Tensor, inside: Tensor, rng: torch.Generator) -> Tensor:
    """The image as it would be if the lesion were everywhere."""
    rows, columns = image.shape
    around = (depth > -0.6) & ~inside & (image > _BODY)
    level = image[around].mean() if bool(around.any()) else image[inside].mean()
    step = (0.1 + 0.4 * _uniform(rng)) * (1 if _chance(0.5, rng) else -1)
    shade = float((level + step).clamp(0.02, 0.98))
    kind = _uniform(rng)
    if kind < 0.25:  # texture of another place
        shift = [int(torch.randint(side, (), generator=rng)) for side in (rows, columns)]
        moved = torch.roll(image.flip(0) if _chance(0.5, rng) else image, shift, (0, 1))
        painted = moved + (shade - moved[inside].mean()) * _uniform(rng)
    elif kind < 0.6:  # the tissue's own structure, weakened
        painted = shade + (image - level) * 0.6 * _uniform(rng)
    else:
        painted = torch.full_like(image, shade)
    grain = 0.06 * _uniform(rng) * _smooth_noise(rows, columns, 1 + 2 * _uniform(rng), rng)
    cloud = 0.15 * _uniform(rng) ** 2 * _smooth_noise(rows, columns, 4 + 12 * _uniform(rng), rng)
    painted = painted + grain + cloud
    if _chance(0.3, rng):  # a core or a rim of another shade
        reach = 0.15 + 0.5 * _uniform(rng)
        other = (0.1 + 0.35 * _uniform(rng)) * (1 if _chance(0.5, rng) else -1)
        painted = painted + other * ((depth - reach) / 0.1 + 0.5).clamp(0, 1)
    return painted.clamp(0, 1)


def _push_aside(image: Tensor, depth: Tensor, rng: torch.Generator) -> Tensor:
    """Tissue around the blob moved outwards, less the farther away it is."""
    rows, columns = image.shape
    strength = 0.5 * _uniform(rng)
    reach = torch.exp(-((depth - 0.3).clamp(max=0) ** 2) * 2) * strength
    inside = depth > 0
    middle = inside.nonzero().float().mean(dim=0)
    y = torch.arange(rows)[:, None].float()
    x = torch.arange(columns)[None].float()
    source_y = y - (y - middle[0]) * reach
    source_x = x - (x - middle[1]) * reach
    grid = torch.stack([source_x * 2 / (columns - 1) - 1, source_y * 2 / (rows - 1) - 1], dim=-1)
    sampled = F.grid_sample(
        image[None, None], grid[None], mode="bilinear", padding_mode="border", align_corners=True
    )
    return sampled[0, 0]


def _smooth_noise(rows: int, columns: int, width: float, rng: torch.Generator) -> Tensor:
    """(rows, columns) with mean 0 and deviation 1, smooth over about ``width`` pixels."""
    size = [max(2, round(side / max(width, 1.0)) + 1) for side in (rows, columns)]
    coarse = torch.randn(1, 1, *size, generator=rng)
    fine = F.interpolate(coarse, (rows, columns), mode="bicubic", align_corners=True)[0, 0]
    return (fine - fine.mean()) / fine.std().clamp(min=1e-6)


def _uniform(rng: torch.Generator) -> float:
    return float(torch.rand((), generator=rng))


def _chance(share: float, rng: torch.Generator) -> bool:
    return _uniform(rng) < share
