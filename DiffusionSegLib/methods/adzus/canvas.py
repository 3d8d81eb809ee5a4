"""The picture that clicks are answered on: small enough to be quick, with all that needs no click.

A choice of ours; the paper works on 512 x 512 pixels, of which the network sees every one. The
network still does: this is the grid on which outlines are chosen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from DiffusionSegLib.methods.adzus.color import lab_from_rgb
from DiffusionSegLib.methods.adzus.neighbors import straight_differences, straight_pairs

__all__ = ["EDGE_SCALES", "Canvas", "make_canvas"]

Floats = NDArray[np.float32]
EDGE_SCALES = (1.0, 2.0, 4.0)  # sigma in pixels
_COLOR_SIGMA = 1.5
_RAREST = 0.02  # shares below it tell no more
_DARK = 6.0  # L*; air in an X-ray image, the surroundings in an MR
_GEODESIC_SIGMA = 1.0
_FLAT = 0.2  # slope, in units of L*a*b* a pixel, below which differences tell nothing


@dataclass(frozen=True, eq=False)
class Canvas:
    """rgb: (rows, columns, 3) in [0, 1].

    color: L*a*b* smoothed with sigma 1.5, (rows, columns, 3). slope: size of the gradient of L*a*b*
    at sigma 1, in units a pixel. edges: for every scale of EDGE_SCALES how rare an edge as strong
    as each pixel edge (see straight_pairs) is in the picture: minus the logarithm of the share of
    stronger ones, from 0 to 4. It is comparable from picture to picture, whatever their contrast.
    texture: (rows, columns), logarithm of the slope, bounded where the picture is flat. body: how
    many pixels are not dark surroundings; rim: 1 for pixel edges between the two, else 0.
    """

    rgb: Floats
    color: Floats
    slope: Floats
    edges: tuple[Floats, ...]
    texture: Floats
    body: int
    rim: Floats

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rgb.shape[0], self.rgb.shape[1]


def make_canvas(rgb: Floats) -> Canvas:
    """Everything that depends on the picture alone; some tens of milliseconds at 256 x 256."""
    lab = lab_from_rgb(rgb)
    smooth = [_smoothed(lab, scale) for scale in EDGE_SCALES]
    edges = tuple(_rarity(straight_differences(one)) for one in smooth)
    color = _smoothed(lab, _COLOR_SIGMA)
    slope = _slope(_smoothed(lab, _GEODESIC_SIGMA))
    around = _surroundings(color)
    body = max(1, int(around.size - np.count_nonzero(around)))
    return Canvas(rgb, color, slope, edges, np.log(slope + _FLAT), body, _rim(around))


def _smoothed(lab: Floats, sigma: float) -> Floats:
    return np.asarray(ndimage.gaussian_filter(lab, (sigma, sigma, 0)), dtype=np.float32)


def _slope(lab: Floats) -> Floats:
    """Sobel's derivatives, divided by the sum of their weights on one side times two."""
    squares = sum(ndimage.sobel(lab[..., c], axis) ** 2 for c in range(3) for axis in (0, 1))
    return np.asarray(np.sqrt(squares) / 8, dtype=np.float32)


def _surroundings(color: Floats) -> NDArray[np.bool_]:
    """(rows, columns): dark pixels that reach the frame."""
    labels, _ = ndimage.label(color[..., 0] < _DARK)
    frame = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return np.asarray(np.isin(labels, np.unique(frame[frame > 0])))


def _rim(around: NDArray[np.bool_]) -> Floats:
    first, second = straight_pairs(around.view(np.int8))
    return (first != second).astype(np.float32)


def _rarity(values: Floats) -> Floats:
    ordered = np.sort(values)
    rank = np.searchsorted(ordered, values) / len(values)
    return (-np.log(1.0 + _RAREST - rank)).astype(np.float32)
