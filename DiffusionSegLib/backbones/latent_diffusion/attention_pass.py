"""One pass of a frozen model over one image, of which only the attention maps are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from DiffusionSegLib.backbones.latent_diffusion.interface import LatentDiffusion, TextEmbedding
from DiffusionSegLib.compute.device import memory_errors_explained
from DiffusionSegLib.diffusion.attention.capture import AttentionMap, capture_attention
from DiffusionSegLib.diffusion.attention.grids import Grid
from DiffusionSegLib.diffusion.attention.layers import AttentionLayer, find_attention_layers
from DiffusionSegLib.errors import InputError, ModelError
from DiffusionSegLib.progress import Progress

__all__ = ["AttentionPass", "AttentionRequest", "run_attention_pass"]


@dataclass(frozen=True)
class AttentionRequest:
    """What to look at. Two equal requests on one image give the same maps.

    timestep: 0 is a clean image; text: also the empty one; cross: whether cross-attention maps are
    wanted too (pointless for an empty text); noise_seed: None adds no noise to the latent, as
    DiffSeg does; group_of: maps of layers of which it tells different words are kept apart.
    """

    timestep: int = 300
    text: str = ""
    cross: bool = False
    noise_seed: int | None = None
    group_of: Callable[[AttentionLayer], str] | None = None


@dataclass(frozen=True)
class AttentionPass:
    """Maps by resolution, finest first, with the text that they were made with.

    latent: rows and columns. precision: the arithmetic that gave them.
    """

    maps: tuple[AttentionMap, ...]
    text: TextEmbedding
    latent: Grid
    precision: torch.dtype

    @property
    def self_maps(self) -> tuple[AttentionMap, ...]:
        """What places look at in the image."""
        return tuple(one for one in self.maps if one.kind == "self")

    @property
    def cross_maps(self) -> tuple[AttentionMap, ...]:
        """What places look at in the text."""
        return tuple(one for one in self.maps if one.kind == "cross")


def run_attention_pass(
    backbone: LatentDiffusion,
    image: Tensor,
    request: AttentionRequest,
    progress: Progress | None = None,
) -> AttentionPass:
    """Encode the image and run the network once.

    image: (1, channels, rows, columns) in [-1, 1], see LatentDiffusion. When half precision
    overflows, the model is switched to float32 and the pass is done again. Raises InputError for a
    timestep that the model does not have, ModelError when the values are no numbers even then.
    """
    if not 0 <= request.timestep < backbone.timesteps:
        raise InputError(
            f"The timestep must lie between 0 and {backbone.timesteps - 1}, not {request.timestep}."
        )
    told = progress or Progress.silent()
    rows, columns = image.shape[-2:]
    with memory_errors_explained(f"the attention pass over {rows} x {columns} pixels"):
        found = _once(backbone, image, request, told)
        if found is None and backbone.dtype != torch.float32:
            backbone.to_float32()
            found = _once(backbone, image, request, told)
    if found is None:
        raise ModelError(
            f"The model {backbone.name} gives values that are no numbers for this image, even in "
            "full precision; its weights are damaged."
        )
    return found


def _once(
    backbone: LatentDiffusion, image: Tensor, request: AttentionRequest, progress: Progress
) -> AttentionPass | None:
    """None when a value overflowed: wherever it did, the maps after it are not numbers."""
    progress.report(0.0, "encoding the image")
    text = backbone.embed_text(request.text)
    latent = backbone.encode(image)
    if request.noise_seed is not None:
        rng = torch.Generator().manual_seed(request.noise_seed)
        noise = torch.randn(latent.shape, generator=rng)
        latent = backbone.add_noise(latent, request.timestep, noise)
    layers = find_attention_layers(backbone.network)
    wanted = [layer for layer in layers if request.cross or layer.kind == "self"]
    groups = {} if request.group_of is None else {one.name: request.group_of(one) for one in wanted}
    size = (int(latent.shape[2]), int(latent.shape[3]))
    maps = capture_attention(
        wanted,
        lambda: backbone.denoise(latent, request.timestep, text),
        size,
        progress.part(0.2, 1.0, "reading attention"),
        groups,
    )
    if not all(one.is_finite for one in maps):
        return None
    return AttentionPass(maps, text, size, backbone.dtype)
