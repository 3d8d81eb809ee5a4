"""One tensor from the self-attention maps of all resolutions (DiffSeg, arXiv:2308.12469, 3.1)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from DiffusionSegLib.diffusion.attention.capture import AttentionMap
from DiffusionSegLib.diffusion.attention.grids import Grid

__all__ = ["aggregate_self_attention"]


def aggregate_self_attention(
    maps: Sequence[AttentionMap], weights: Sequence[float], grid: Grid | None = None
) -> Tensor:
    """(rows · columns, rows · columns), float32: row q is the map of place q and sums to 1.

    maps: of kind "self"; weights: one per map, divided by their sum; grid: rows and columns of the
    result, by default the finest map's. Each map's keys are enlarged bilinearly (pixel centers,
    not corners, stay aligned) and made to sum to 1 again; its queries are repeated. Besides the
    result only one line of enlarged queries is held.
    """
    if not maps or any(one.kind != "self" for one in maps):
        raise ValueError("aggregation takes at least one map, of self-attention only")
    total = float(sum(weights))
    if len(weights) != len(maps) or total <= 0 or min(weights) < 0:
        raise ValueError(f"{len(maps)} maps need as many weights, not negative, not {weights}")
    rows, columns = grid or max((one.grid for one in maps), key=lambda size: size[0] * size[1])
    result = torch.zeros(rows, columns, rows * columns, device=maps[0].weights.device)
    for one, weight in zip(maps, weights, strict=True):
        if weight > 0:
            _add(one, weight / total, result, (rows, columns))
    return result.reshape(rows * columns, -1)


def _add(one: AttentionMap, weight: float, result: Tensor, grid: Grid) -> None:
    """result += weight · map, line by line of the map's queries."""
    rows, columns = one.grid
    lines = one.weights.reshape(rows, columns, rows, columns)
    row_of = _nearest(rows, grid[0])
    column_of = torch.tensor(_nearest(columns, grid[1]), device=result.device)
    targets: dict[int, list[int]] = {}
    for target, source in enumerate(row_of):
        targets.setdefault(source, []).append(target)
    for source, wanted in targets.items():
        line = lines[source]
        if one.grid != grid:
            line = F.interpolate(line[None], size=grid, mode="bilinear", align_corners=False)[0]
        line = line.reshape(columns, -1)
        line = line * (weight / line.sum(1, keepdim=True))
        repeated = line if columns == grid[1] else line[column_of]
        for target in wanted:
            result[target] += repeated


def _nearest(size: int, wanted: int) -> list[int]:
    """For each of ``wanted`` places the place of a coarser line of ``size`` that holds it."""
    return [place * size // wanted for place in range(wanted)]
