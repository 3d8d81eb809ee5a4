"""How large an outline is, in words."""

from __future__ import annotations

from DiffusionSegLib.nouns.geometry import Geometry

__all__ = ["sizeInWords"]


def sizeInWords(voxels: int, geometry: Geometry) -> str:
    """Millilitres to three digits; on a single slice, which has no volume, the share of pixels."""
    if geometry.shape_kji[0] == 1:
        share = 100.0 * voxels / geometry.voxel_count
        return f"{share:.1f} % of the picture ({voxels:,} pixels)"
    volumeMl = voxels * geometry.voxel_volume_mm3 / 1000.0
    digits = 0 if volumeMl >= 99.95 else 1 if volumeMl >= 9.995 else 2
    return f"{volumeMl:.{digits}f} ml"
