"""How much a run has to do: windows, samples, steps; and one step of it for timing."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from DiffusionSegLib.methods.cdal.embedding import CdalEmbedding
from DiffusionSegLib.methods.cdal.generator import Generator
from DiffusionSegLib.methods.cdal.model_grid import ModelGrid
from DiffusionSegLib.methods.cdal.windows import window_positions
from DiffusionSegLib.methods.contract import Workload

# Bytes a voxel and label: sums of values and of squares (float32), mean and deviation (float16).
_SUM_BYTES, _RESULT_BYTES = 8, 4


def cdal_workload(
    grid: ModelGrid, stride: int, embedding: CdalEmbedding, labels: int, samples: int, steps: int
) -> Workload:
    """Of one ensemble. A unit is one voxel in one step; encoding a window counts as a step."""
    window, windows = _windows(grid, stride, embedding.grid.shape_kji)
    voxels = embedding.grid.voxel_count
    at_once = voxels if grid.is_volumetric else voxels // embedding.grid.shape_kji[0]
    return Workload(
        units=float(windows * math.prod(window) * (samples * steps + 1)),
        words=f"{_counted(windows, 'window')}, up to {_counted(samples, 'sample')}",
        memory_bytes=labels * (_RESULT_BYTES * voxels + _SUM_BYTES * at_once),
    )


@torch.inference_mode()
def cdal_trial(network: Generator, grid: ModelGrid, embedding: CdalEmbedding) -> float:
    """Encode the first window and do one step in it; returns the units of that."""
    window, _ = _windows(grid, network.config.stride, embedding.grid.shape_kji)
    source = embedding.source if grid.is_volumetric else embedding.source.slice(0)
    piece = torch.from_numpy(source.take((0, 0, 0), window))
    if not grid.is_volumetric:
        piece = piece[:, 0]
    parameter = next(network.parameters())
    image = piece[None].to(parameter.device)
    condition = network.encode_condition(image)
    config = network.config
    noisy = torch.zeros((1, config.mask_channels, *image.shape[2:]), device=parameter.device)
    latent = torch.zeros((1, config.latent_size), device=parameter.device)
    timestep = torch.zeros((1,), dtype=torch.long, device=parameter.device)
    clean = network.denoise(noisy.to(condition.dtype), timestep, condition, latent)
    float(clean.float().sum())  # waits for a GPU
    return 2.0 * math.prod(window)


def _windows(
    grid: ModelGrid, stride: int, shape_kji: Sequence[int]
) -> tuple[tuple[int, int, int], int]:
    """Size of a window, and how many there are in all slices."""
    slabs = 1 if grid.is_volumetric else shape_kji[0]
    shape = tuple(shape_kji) if grid.is_volumetric else (1, *shape_kji[1:])
    window = grid.window_for(shape, stride)
    return window, slabs * len(window_positions(shape, window, grid.overlap))


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
