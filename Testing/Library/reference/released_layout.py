"""The authors' flat list of modules, written out by hand, and random checkpoints in that layout.

Entries: ``L a b`` linear, ``C a b`` 3 x 3 convolution, ``B a`` condition block, ``P a b`` pyramid
convolution, ``R a b [d|u]`` residual block (``*`` where it has a 1 x 1 skip), ``A a`` attention,
``G a`` group normalisation. ``3-8`` numbers several equal entries.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

LATENT = {"lung": (100, 256), "monuseg": (100, 256), "hippocampus": (50, 128)}
LATENT["hippocampus-1"] = LATENT["hippocampus"]

LISTS = {
    "lung": """
        0 L 32 128; 1 L 128 128; 2 C 1 32; 3-8 B 32; 9 C 1 32;
        10 R 32 32; 11 R 32 32 d*; 12 P 1 32; 13 R 32 32; 14 R 32 32 d*; 15 P 32 32;
        16 R 32 64 *; 17 R 64 64 d*; 18 P 32 64; 19 R 64 64; 20 R 64 64 d*; 21 P 64 64;
        22 R 64 128 *; 23 A 128; 24 R 128 128 d*; 25 P 64 128; 26 R 128 128;
        27 R 128 128; 28 A 128; 29 R 128 128;
        30 R 256 128 *; 31 R 256 128 *; 32 R 128 128 u*;
        33 R 256 128 *; 34 R 192 128 *; 35 A 128; 36 R 128 128 u*;
        37 R 192 64 *; 38 R 128 64 *; 39 R 64 64 u*; 40 R 128 64 *; 41 R 96 64 *; 42 R 64 64 u*;
        43 R 96 32 *; 44 R 64 32 *; 45 R 32 32 u*; 46 R 64 32 *; 47 R 64 32 *; 48 G 32; 49 C 32 1
    """,
    "monuseg": """
        0 L 64 256; 1 L 256 256; 2 C 3 64; 3-7 B 64; 8 C 1 64;
        9-10 R 64 64; 11 R 64 64 d*; 12 P 1 64; 13-14 R 64 64; 15 R 64 64 d*; 16 P 64 64;
        17-18 R 64 64; 19 R 64 64 d*; 20 P 64 64; 21 R 64 128 *; 22 R 128 128; 23 R 128 128 d*;
        24 P 64 128; 25 R 128 128; 26 A 128; 27 R 128 128; 28 A 128; 29 R 128 128 d*; 30 P 128 128;
        31 R 128 256 *; 32 A 256; 33 R 256 256; 34 A 256; 35 R 256 256 d*; 36 P 128 256;
        37-38 R 256 256; 39 R 256 256; 40 A 256; 41 R 256 256;
        42-44 R 512 256 *; 45 R 256 256 u*; 46-47 R 512 256 *; 48 R 384 256 *; 49 A 256;
        50 R 256 256 u*; 51 R 384 128 *; 52-53 R 256 128 *; 54 A 128; 55 R 128 128 u*;
        56-57 R 256 128 *; 58 R 192 128 *; 59 R 128 128 u*; 60 R 192 64 *; 61-62 R 128 64 *;
        63 R 64 64 u*; 64-66 R 128 64 *; 67 R 64 64 u*; 68-70 R 128 64 *; 71 G 64; 72 C 64 1
    """,
    "hippocampus": """
        0 L 32 128; 1 L 128 128; 2 C 1 32; 3-8 B 32; 9 C 3 32;
        10-11 R 32 32; 12 R 32 32 d*; 13 P 3 32; 14 R 32 64 *; 15 A 64; 16 R 64 64; 17 A 64;
        18 R 64 64 d*; 19 P 32 64; 20-21 R 64 64; 22 R 64 64 d*; 23 P 64 64; 24-25 R 64 64;
        26 R 64 64; 27 A 64; 28 R 64 64; 29-31 R 128 64 *; 32 R 64 64 u*; 33-35 R 128 64 *;
        36 R 64 64 u*; 37-38 R 128 64 *; 39 R 96 64 *; 40 A 64; 41 R 64 64 u*; 42 R 96 32 *;
        43-44 R 64 32 *; 45 G 32; 46 C 32 3
    """,
    "hippocampus-1": """
        0 L 32 128; 1 L 128 128; 2 C 1 32; 3-8 B 32; 9 C 3 32;
        10 R 32 32; 11 R 32 32 d*; 12 P 3 32; 13 R 32 64 *; 14 A 64; 15 R 64 64 d*; 16 P 32 64;
        17 R 64 64; 18 R 64 64 d*; 19 P 64 64; 20 R 64 64; 21 R 64 64; 22 A 64; 23 R 64 64;
        24-25 R 128 64 *; 26 R 64 64 u*; 27-28 R 128 64 *; 29 R 64 64 u*; 30 R 128 64 *;
        31 R 96 64 *; 32 A 64; 33 R 64 64 u*; 34 R 96 32 *; 35 R 64 32 *; 36 G 32; 37 C 32 3
    """,
}


def released_shapes(name: str) -> dict[str, tuple[int, ...]]:
    """Every key of a released checkpoint, without its prefix, and its shape."""
    size, width = LATENT[name]
    shapes: dict[str, tuple[int, ...]] = {}
    for index, inputs in zip((1, 3, 5, 7), (size, width, width, width), strict=True):
        shapes |= _layer(f"z_transform.{index}", width, inputs)
    time_width = int(LISTS[name].split(";")[0].split()[3])
    for entry in LISTS[name].split(";"):
        numbers, kind, *sizes = entry.split()
        first, _, last = numbers.partition("-")
        for index in range(int(first), int(last or first) + 1):
            key = f"all_modules.{index}"
            shapes |= _entry(key, kind, sizes, time_width, width)
    return shapes


def random_checkpoint(name: str, seed: int) -> dict[str, Tensor]:
    """A checkpoint of random numbers, zero nowhere, with the prefix of the released files."""
    rng = torch.Generator().manual_seed(seed)
    checkpoint = {}
    for key, shape in released_shapes(name).items():
        fan_in = math.prod(shape[1:]) if len(shape) > 1 else 16
        fan_in = shape[0] if key.endswith(".W") else fan_in
        checkpoint[f"module.{key}"] = torch.randn(shape, generator=rng) / math.sqrt(fan_in)
    return checkpoint


def _layer(key: str, *shape: int) -> dict[str, tuple[int, ...]]:
    return {f"{key}.weight": shape, f"{key}.bias": shape[:1]}


def _entry(
    key: str, kind: str, sizes: list[str], time_width: int, latent_width: int
) -> dict[str, tuple[int, ...]]:
    first = int(sizes[0])
    if kind == "G":
        return _layer(key, first)
    if kind == "B":
        shapes = _layer(f"{key}.0.in_layers.0", first) | _layer(f"{key}.0.out_layers.0", first)
        shapes |= _layer(f"{key}.0.in_layers.2", first, first, 3, 3)
        return shapes | _layer(f"{key}.0.out_layers.3", first, first, 3, 3)
    if kind == "A":
        shapes = _layer(f"{key}.GroupNorm_0", first)
        for number in range(4):
            shapes[f"{key}.NIN_{number}.W"] = (first, first)
            shapes[f"{key}.NIN_{number}.b"] = (first,)
        return shapes
    last = int(sizes[1])
    if kind == "L":
        return _layer(key, last, first)
    if kind == "C":
        return _layer(key, last, first, 3, 3)
    if kind == "P":
        return _layer(f"{key}.Conv2d_0", last, first, 3, 3)
    shapes = _layer(f"{key}.GroupNorm_0.style", 2 * first, latent_width)
    shapes |= _layer(f"{key}.Conv_0", last, first, 3, 3)
    shapes |= _layer(f"{key}.Dense_0", last, time_width)
    shapes |= _layer(f"{key}.GroupNorm_1.style", 2 * last, latent_width)
    shapes |= _layer(f"{key}.Conv_1", last, last, 3, 3)
    if sizes[-1].endswith("*"):
        shapes |= _layer(f"{key}.Conv_2", last, first, 1, 1)
    return shapes
