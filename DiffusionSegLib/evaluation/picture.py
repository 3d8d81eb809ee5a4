"""Drawing: grey values, crisp outlines, colour maps, a scale bar, captions. Pillow and numpy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont
from scipy import ndimage

Color = tuple[int, int, int]
Pixels = NDArray[np.uint8]

# Told apart by colour-blind readers, and rare in tissue, stains and skin.
PREDICTION_COLOR: Color = (255, 214, 10)
TRUTH_COLOR: Color = (0, 190, 255)
# Soft tissue; what the eye needs to follow the edge of an organ in CT.
CT_WINDOW_HU = (-160.0, 240.0)

_SUPERSAMPLING = 3
_BAR_LENGTHS_MM = (1, 2, 5, 10, 20, 50, 100)
_INFERNO = (
    (0, 0, 4), (31, 12, 72), (85, 15, 109), (136, 34, 106), (186, 54, 85), (227, 89, 51),
    (249, 140, 10), (249, 201, 50), (252, 255, 164),
)  # fmt: skip
_VIRIDIS = (
    (68, 1, 84), (71, 44, 122), (59, 81, 139), (44, 113, 142), (33, 144, 141), (39, 173, 129),
    (92, 200, 99), (170, 220, 50), (253, 231, 37),
)  # fmt: skip
# Blue below the middle and orange above it, dark where nothing differs.
_DIFFERENCE = ((140, 217, 255), (26, 102, 230), (13, 13, 13), (217, 77, 13), (255, 217, 115))
COLOR_MAPS = {"inferno": _INFERNO, "viridis": _VIRIDIS, "difference": _DIFFERENCE}


def display_range(values: NDArray[np.generic]) -> tuple[float, float]:
    """The two values to show as black and white.

    CT is recognised by air (below -500): then a soft-tissue window; otherwise the 0.5th and
    99.5th percentile, so that a few bright voxels do not darken the rest.
    """
    sample = values.reshape(-1)[:: max(1, values.size // 2_000_000)].astype(np.float32)
    if sample.min() < -500:
        return CT_WINDOW_HU
    low, high = (float(bound) for bound in np.percentile(sample, (0.5, 99.5)))
    return (low, high) if high > low else (low, low + 1.0)


def grey(pixels: NDArray[np.generic], shown: tuple[float, float]) -> Pixels:
    """(rows, columns) of any type to (rows, columns, 3) grey values."""
    low, high = shown
    scaled = np.clip((np.asarray(pixels, dtype=np.float32) - low) / (high - low), 0.0, 1.0)
    grey_values = (scaled * 255).round().astype(np.uint8)
    return np.stack([grey_values] * 3, axis=-1)


def colored(fraction: NDArray[np.floating], color_map: str) -> Pixels:
    """(rows, columns) in [0, 1] to (rows, columns, 3) through a perceptual colour map."""
    anchors = np.asarray(COLOR_MAPS[color_map], dtype=np.float32)
    clipped = np.clip(np.asarray(fraction, dtype=np.float32), 0.0, 1.0)
    positions = np.linspace(0.0, 1.0, len(anchors))
    channels = [np.interp(clipped, positions, anchors[:, channel]) for channel in range(3)]
    colors: Pixels = np.stack(channels, axis=-1).round().astype(np.uint8)
    return colors


def enlarged(pixels: Pixels, spacing_mm: Sequence[float], longest: int) -> Pillow.Image:
    """The picture with square pixels, its longer side `longest` pixels."""
    return Pillow.fromarray(np.ascontiguousarray(pixels)).resize(
        size_for(pixels.shape[:2], spacing_mm, longest), Pillow.Resampling.BICUBIC
    )


def size_for(shape: Sequence[int], spacing_mm: Sequence[float], longest: int) -> tuple[int, int]:
    """(width, height) in pixels of a (rows, columns) slice whose longer side is `longest`."""
    height_mm, width_mm = shape[0] * spacing_mm[0], shape[1] * spacing_mm[1]
    scale = longest / max(height_mm, width_mm)
    return max(1, round(width_mm * scale)), max(1, round(height_mm * scale))


def draw_outline(
    picture: Pillow.Image, mask: NDArray[np.bool_], color: Color, width: float = 2.0
) -> Pillow.Image:
    """The picture with the border of `mask` (rows, columns; any resolution) drawn on it.

    A thin dark rim keeps the line readable on bright ground.
    """
    if not mask.any():
        return picture
    distance = _border_distance(mask, picture.size)
    pixels = np.asarray(picture, dtype=np.float32)
    for shade, line_width, strength in (((0, 0, 0), width + 1.6, 0.55), (color, width, 1.0)):
        coverage = np.clip(line_width / 2 + 0.5 - distance, 0.0, 1.0)[..., None] * strength
        pixels = pixels * (1.0 - coverage) + np.asarray(shade, dtype=np.float32) * coverage
    return Pillow.fromarray(pixels.round().astype(np.uint8))


def _border_distance(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.float32]:
    """Distance (in picture pixels) of each picture pixel to the mask's border."""
    fine_size = (size[0] * _SUPERSAMPLING, size[1] * _SUPERSAMPLING)
    smooth = Pillow.fromarray(mask.astype(np.uint8) * 255).resize(
        fine_size, Pillow.Resampling.BILINEAR
    )
    # The frame counts as outside, so an object cut by it is closed along it.
    inside = np.pad(np.asarray(smooth) >= 128, 1)
    to_border = np.where(
        inside, ndimage.distance_transform_edt(inside), ndimage.distance_transform_edt(~inside)
    )
    fine = Pillow.fromarray((to_border[1:-1, 1:-1] - 0.5).astype(np.float32))
    coarse = np.asarray(fine.resize(size, Pillow.Resampling.BOX), dtype=np.float32)
    return np.asarray(coarse / _SUPERSAMPLING, dtype=np.float32)


def draw_scale_bar(picture: Pillow.Image, pixels_per_mm: float) -> None:
    """A bar of a round length near a quarter of the width, bottom left."""
    longest_mm = 0.3 * picture.width / pixels_per_mm
    length_mm = max([mm for mm in _BAR_LENGTHS_MM if mm <= longest_mm], default=None)
    if length_mm is None:
        return
    draw = ImageDraw.Draw(picture)
    left, bottom = 10, picture.height - 12
    right = left + length_mm * pixels_per_mm
    draw.rectangle((left - 1, bottom - 5, right + 1, bottom + 1), fill=(0, 0, 0))
    draw.rectangle((left, bottom - 4, right, bottom), fill=(255, 255, 255))
    draw_text(picture, (left, bottom - 9), f"{length_mm} mm", anchor="ls", size=18)


def draw_text(
    picture: Pillow.Image,
    position: tuple[float, float],
    text: str,
    *,
    anchor: str = "la",
    size: int = 14,
    color: Color = (255, 255, 255),
) -> None:
    """Text with a dark rim, so that it can be read on any ground."""
    ImageDraw.Draw(picture).text(
        position, text, fill=color, font=ImageFont.load_default(size), anchor=anchor,
        stroke_width=2, stroke_fill=(0, 0, 0),
    )  # fmt: skip


def draw_legend(picture: Pillow.Image, entries: Sequence[tuple[str, Color]]) -> None:
    """Names in their colours, one below the other, top left."""
    for row, (name, color) in enumerate(entries):
        draw_text(picture, (10, 8 + 19 * row), name, color=color, size=14)


def beside(
    pictures: Sequence[Pillow.Image], gap: int = 6, ground: Color = (0, 0, 0)
) -> Pillow.Image:
    """Pictures in one row, centred vertically."""
    width = sum(picture.width for picture in pictures) + gap * (len(pictures) - 1)
    row = Pillow.new("RGB", (width, max(picture.height for picture in pictures)), ground)
    left = 0
    for picture in pictures:
        row.paste(picture, (left, (row.height - picture.height) // 2))
        left += picture.width + gap
    return row
