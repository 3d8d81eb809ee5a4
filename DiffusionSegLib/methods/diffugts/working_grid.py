"""The grid on which a backbone sees an image, and the way of an image onto it.

For a two-dimensional model the slices of a volume lie along the first axis of the grid, each with
square pixels; for a three-dimensional one the volume stands upright.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from DiffusionSegLib.methods.diffugts.working_sizes import (
    USUAL_SIDE,
    card_grid,
    working_geometry,
)
from DiffusionSegLib.nouns.geometry import Float3, Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.shrink import onto_grid
from DiffusionSegLib.nouns.standing import standing_image

__all__ = ["WorkingGrid", "padded", "trimmed"]


@dataclass(frozen=True)
class WorkingGrid:
    """dims: of the backbone. side: pixels of a slice's longer side, of a two-dimensional one.

    spacing_mm: of voxels (i, j, k), for a three-dimensional one; None takes them as they are.
    """

    dims: int
    side: int = USUAL_SIDE
    spacing_mm: Float3 | None = None

    @staticmethod
    def from_dict(dims: int, values: Any) -> WorkingGrid:
        """Of a model card; raises ModelError."""
        return WorkingGrid(dims, *card_grid(values))

    def geometry(self, geometry: Geometry) -> Geometry:
        """The grid over the extent of ``geometry``."""
        return working_geometry(geometry, self.dims, self.side, self.spacing_mm)

    def on_grid(self, image: Image) -> Image:
        """The first channel of the image there, or the mean of red, green and blue; float32."""
        gray = image.array.mean(axis=0, dtype=np.float32) if image.is_rgb else image.array[0]
        plain = Image(gray[None].astype(np.float32), image.geometry, dimension=image.dimension)
        if self.dims == 3:
            plain = standing_image(plain)
        return onto_grid(plain, self.geometry(image.geometry))


def padded(values: NDArray[np.float32], multiples: tuple[int, int, int]) -> Tensor:
    """(1, 1, K, J, I) of (K, J, I), with the last voxels repeated up to multiples of the sides."""
    add = [(0, -side % multiple) for side, multiple in zip(values.shape, multiples, strict=True)]
    return torch.from_numpy(np.pad(values, add, mode="edge"))[None, None]


def trimmed(values: Tensor, shape_kji: tuple[int, int, int]) -> NDArray[Any]:
    """(K, J, I) of (K', J', I'), without what was added by `padded`."""
    k, j, i = shape_kji
    return np.ascontiguousarray(values[:k, :j, :i].float().cpu().numpy())
