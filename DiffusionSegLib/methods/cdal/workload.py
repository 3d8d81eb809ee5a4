"""How much a run has to do: windows, samples, steps; and one step of it for timing."""

from __future__ import annotations

import math

import torch

from DiffusionSegLib.methods.cdal.embedding import CdalEmbedding
from DiffusionSegLib.methods.cdal.forecast import windows_of
from DiffusionSegLib.methods.cdal.generator import Generator
from DiffusionSegLib.methods.cdal.model_grid import ModelGrid
from DiffusionSegLib.methods.contract import Workload
from DiffusionSegLib.methods.counted import counted

# Bytes a voxel and label: sums of values and of squares (float32), mean and deviation (float16).
_SUM_BYTES, _RESULT_BYTES = 8, 4


def cdal_workload(
    grid: ModelGrid, stride: int, embedding: CdalEmbedding, labels: int, samples: int, steps: int
) -> Workload:
    """Of one ensemble. A unit is one voxel in one step; encoding a window counts as a step."""
    window, windows = windows_of(grid, stride, embedding.grid.shape_kji)
    voxels = embedding.grid.voxel_count
    at_once = voxels if grid.is_volumetric else voxels // embedding.grid.shape_kji[0]
    return Workload(
        units=float(windows * math.prod(window) * (samples * steps + 1)),
        words=f"{counted(windows, 'window')}, up to {counted(samples, 'sample')}",
        memory_bytes=labels * (_RESULT_BYTES * voxels + _SUM_BYTES * at_once),
    )


@torch.inference_mode()
def cdal_trial(network: Generator, grid: ModelGrid, embedding: CdalEmbedding) -> float:
    """Encode the first window and do one step in it; returns the units of that."""
    window, _ = windows_of(grid, network.config.stride, embedding.grid.shape_kji)
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
