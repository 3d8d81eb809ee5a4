"""How much a run has to do, before it is known how large the lesion is."""

from __future__ import annotations

import torch

from DiffusionSegLib.backbones.generative.interface import GenerativeBackbone, ScanFacts
from DiffusionSegLib.methods.contract import Workload
from DiffusionSegLib.methods.diffugts.embedding import DiffuGtsEmbedding
from DiffusionSegLib.methods.diffugts.run_settings import RunSettings
from DiffusionSegLib.nouns.prompt import Prompt

__all__ = ["diffugts_trial", "diffugts_workload"]

_SLICES_WITH_LESION = 0.25  # of a volume's, for want of anything better
_READING_PASSES = 4.0  # of the denoiser, that reading and comparing one slice costs about
_BYTES = 4 * 6  # of a voxel: float32 of picture, map, belief, probability, spread, healthy


def diffugts_workload(
    backbone: GenerativeBackbone,
    embedding: DiffuGtsEmbedding,
    prompt: Prompt,
    settings: RunSettings,
) -> Workload:
    """A unit is one place of the latent in one pass of the denoising network."""
    slices, rows, columns = embedding.grid.shape_kji
    inpainting = settings.inpainting
    passes = inpainting.seeds * inpainting.path.passes
    places = rows * columns / backbone.factor**2
    if backbone.dims == 3:
        places *= slices / backbone.factor
    items = slices if backbone.dims == 2 else 1
    filled = max(1, round(items * (_SLICES_WITH_LESION if items > 1 else 1.0)))
    window = min(places, float(inpainting.window**backbone.dims))
    reading = 0.0 if prompt.kinds - {"text", "region"} else _READING_PASSES * items * places
    words = f"up to {items} slices" if items > 1 else "one image"
    return Workload(
        units=reading + filled * window * passes,
        words=f"{words}, {inpainting.seeds} samples of {inpainting.path.passes} steps",
        memory_bytes=embedding.grid.voxel_count * _BYTES,
        exact=False,
    )


@torch.no_grad()
def diffugts_trial(backbone: GenerativeBackbone, settings: RunSettings) -> float:
    """One pass over one window; returns its places."""
    multiple = backbone.multiple // backbone.factor
    side = max(multiple, settings.inpainting.window // multiple * multiple)
    latent = torch.zeros((1, backbone.latent_channels, *[side] * backbone.dims))
    found = backbone.predict(latent.to(backbone.device), 0.5, backbone.condition(ScanFacts()))
    float(found.float().sum())  # waits for a GPU
    return float(side**backbone.dims)
