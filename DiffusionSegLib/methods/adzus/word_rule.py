"""Words: the network is shown the text, and where it looks for it becomes the outline."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from DiffusionSegLib.backbones.latent_diffusion.attention_pass import (
    AttentionRequest,
    run_attention_pass,
)
from DiffusionSegLib.backbones.latent_diffusion.interface import LatentDiffusion
from DiffusionSegLib.methods.adzus.plane import Plane
from DiffusionSegLib.methods.adzus.plane_attention import network_picture
from DiffusionSegLib.methods.adzus.plane_outline import PlaneOutline
from DiffusionSegLib.methods.adzus.refine_rule import refine_plane
from DiffusionSegLib.methods.adzus.vocabulary import is_pathology
from DiffusionSegLib.methods.adzus.word_fit import word_effect
from DiffusionSegLib.methods.adzus.word_map import content_tokens, joined_evidence, word_map
from DiffusionSegLib.progress import Progress

__all__ = ["RULE", "is_pathology", "outline_words"]

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
RULE = "words: where they change the network's answer and are looked at, carried by self-attention"
_FIT_MULTIPLES = 4  # 128 pixels for the bundled network, 256 for Stable Diffusion
_FLAT = 1e-4  # a map's range, of its highest value, below which it says nothing
_WEAKEST_PART = 0.5  # of the strongest part


def outline_words(
    plane: Plane, backbone: LatentDiffusion, text: str, timestep: int, progress: Progress
) -> PlaneOutline:
    """One pass with the text, then some small ones that tell whether it fits the image.

    Where the words' map is high by Otsu's threshold, its strongest connected parts are drawn to
    edges. score: how well the words fit the image (see WordEffect) times the share of the map's
    variance that lies between inside and outside; 0 for words that say nothing of the image.
    A text without a word that carries meaning outlines nothing. Raises PromptError for one that
    the model cannot read whole.
    """
    picture = network_picture(backbone, torch.from_numpy(plane.rgb), plane.largest_side)
    request = AttentionRequest(timestep=timestep, text=text, cross=True)
    done = run_attention_pass(backbone, picture, request, progress.part(0.0, 0.5))
    tokens = content_tokens(done.text)
    if not tokens or not done.cross_maps:
        return PlaneOutline(np.zeros(plane.canvas.size, dtype=np.float32), 0.0, RULE)
    small = _small(picture, backbone.image_multiple)
    effect = word_effect(backbone, small, text, progress.part(0.5, 1.0))
    grid, walk = plane.attention.grid, plane.attention.walk
    looked_at = word_map(done.cross_maps, tokens, grid)
    places = joined_evidence(looked_at, effect.difference, walk, grid)
    values = plane.enlarge(places.numpy())
    mask = _strong_parts(values, _otsu(values))
    nowhere = np.zeros_like(mask)
    refined = refine_plane(plane, mask, nowhere, nowhere)
    return PlaneOutline(refined.probability, effect.fit * _separation(values, mask), RULE)


def _small(picture: Tensor, multiple: int) -> Tensor:
    """The picture with a long side of a few of the least multiples that the network reads."""
    longest = max(picture.shape[2:])
    rows, columns = (
        max(1, round(side * _FIT_MULTIPLES / longest)) * multiple for side in picture.shape[2:]
    )
    return F.interpolate(
        picture, size=(rows, columns), mode="bilinear", align_corners=False, antialias=True
    )


def _otsu(values: Floats) -> float:
    """The threshold that divides best into two classes (Otsu 1979), over 256 bins; infinity for a
    map that is the same everywhere."""
    if float(np.ptp(values)) <= _FLAT * float(np.abs(values).max()):
        return np.inf
    count, edges = np.histogram(values.astype(np.float64), bins=256)
    middle = (edges[:-1] + edges[1:]) / 2
    below, total = np.cumsum(count), count.sum()
    sums = np.cumsum(count * middle)
    with np.errstate(invalid="ignore", divide="ignore"):
        between = (sums[-1] * below / total - sums) ** 2 / (below * (total - below))
    best = int(np.argmax(np.nan_to_num(between[:-1], posinf=0.0)))
    return float(edges[best + 1])


def _strong_parts(values: Floats, level: float) -> Bools:
    """Connected parts above the level, without those that rise above it by less, summed over their
    pixels, than half of what the strongest part does."""
    labels, count = ndimage.label(values >= level)
    if count == 0:
        return np.zeros(values.shape, dtype=bool)
    risen = ndimage.sum_labels(values - level, labels, np.arange(1, count + 1))
    kept = 1 + np.flatnonzero(risen >= _WEAKEST_PART * risen.max())
    return np.asarray(np.isin(labels, kept))


def _separation(values: Floats, mask: Bools) -> float:
    """Share of the map's variance that lies between inside and outside, in [0, 1]."""
    total = float(values.var())
    if total <= 0 or not mask.any() or mask.all():
        return 0.0
    share = float(mask.mean())
    apart = float(values[mask].mean() - values[~mask].mean())
    return min(1.0, share * (1 - share) * apart**2 / total) if apart > 0 else 0.0
