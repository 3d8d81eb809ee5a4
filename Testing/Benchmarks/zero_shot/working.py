"""The picture that the baselines work on: small, in [0, 1], and the way back to full size."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from DiffusionSegLib.evaluation.clicks import Click
from DiffusionSegLib.nouns.image import Image

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float32]

_CT_WINDOW_HU = (-160.0, 240.0)  # the usual soft tissue window
_PERCENTILES = (0.5, 99.5)


@dataclass(frozen=True, eq=False)
class Working:
    """pixels: (rows, columns, channels) in [0, 1]; full: rows and columns of the image."""

    pixels: FloatArray
    full: tuple[int, int]

    @staticmethod
    def of(image: Image, longest: int, smoothing: float = 0.0, enlarged: bool = False) -> Working:
        """A 2D image; one whose long side exceeds `longest` is reduced to it by area averages.

        smoothing: sigma of a Gaussian in working pixels. enlarged: a smaller one is enlarged to it
        linearly.
        """
        channels = [_unit(values[0], image.channel_names) for values in image.array]
        pixels = np.stack(channels, axis=-1).astype(np.float32)
        full = (pixels.shape[0], pixels.shape[1])
        scale = longest / max(full)
        if scale < 1 or (enlarged and scale > 1):
            rows, columns = (max(1, round(side * scale)) for side in full)
            way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            resized = cv2.resize(pixels, (columns, rows), interpolation=way)
            pixels = resized.reshape(rows, columns, len(channels)).astype(np.float32)
        if smoothing > 0:
            pixels = ndimage.gaussian_filter(pixels, (smoothing, smoothing, 0), mode="nearest")
        return Working(np.ascontiguousarray(pixels), full)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.pixels.shape[0], self.pixels.shape[1]

    @property
    def diagonal(self) -> float:
        """Of the working picture, in its pixels."""
        return float(np.hypot(*self.shape))

    def place(self, click: Click) -> tuple[float, float]:
        """Row and column of a click of the full image; pixel centers are whole numbers."""
        row, column = click.position_kji[1:]
        down, across = (small / large for small, large in zip(self.shape, self.full, strict=True))
        return (row + 0.5) * down - 0.5, (column + 0.5) * across - 0.5

    def pixel(self, click: Click) -> tuple[int, int]:
        """The pixel that holds the click."""
        row, column = (round(value) for value in self.place(click))
        rows, columns = self.shape
        return min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)

    def to_full(self, share: NDArray[np.generic], threshold: float = 0.5) -> BoolArray:
        """(1, rows, columns): where a share (rows, columns), enlarged linearly, is at least
        `threshold`."""
        values = np.asarray(share, np.float32)
        if self.shape != self.full:
            values = cv2.resize(values, self.full[::-1], interpolation=cv2.INTER_LINEAR)
        inside: BoolArray = values >= threshold
        return inside[np.newaxis]


def _unit(values: NDArray[np.generic], names: tuple[str, ...]) -> FloatArray:
    """8-bit pictures as they are, CT by its window, everything else between percentiles."""
    array = np.asarray(values, np.float32)
    if values.dtype == np.uint8:
        return array / np.float32(255)
    low, high = _CT_WINDOW_HU if names == ("ct",) else np.percentile(array, _PERCENTILES)
    return np.clip((array - low) / max(float(high - low), 1e-6), 0, 1).astype(np.float32)
