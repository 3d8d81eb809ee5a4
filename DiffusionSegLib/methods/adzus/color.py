"""Colors as people tell them apart: sRGB to CIE L*a*b* (D65)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["lab_from_rgb"]

Floats = NDArray[np.float32]

# IEC 61966-2-1 and CIE 15: linear light, XYZ of the D65 white, then cube roots.
_XYZ_FROM_RGB = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
     [0.0193339, 0.1191920, 0.9503041]], dtype=np.float32,
)  # fmt: skip
_WHITE = np.array([0.95047, 1.0, 1.08883], dtype=np.float32)
_KNEE = (6 / 29) ** 3


def lab_from_rgb(rgb: Floats) -> Floats:
    """(..., 3) L* in [0, 100], a* and b* about [-100, 100], of sRGB in [0, 1]."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    ratio = (linear.astype(np.float32) @ _XYZ_FROM_RGB.T) / _WHITE
    root = np.where(ratio > _KNEE, np.cbrt(ratio), ratio * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = root[..., 0], root[..., 1], root[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1).astype(np.float32)
