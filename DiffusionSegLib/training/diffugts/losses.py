"""The losses of the attention maps, L = L_ano + L_sim + L_dice + L_place.

The first three are those of an unofficial reading of the paper, with weight one each; the last is
our choice.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = [
    "TEMPERATURE", "anomaly_loss", "choice_loss", "expectation_loss", "overlap_loss", "place_loss",
    "similarity_loss",
]  # fmt: skip

TEMPERATURE = 0.07
SHARPNESS = 2.0  # of a choice, as in RegionChoice


def anomaly_loss(logits: Tensor, abnormal: Tensor) -> Tensor:
    """Binary cross-entropy of (B,) logits with whether each image shows anything abnormal."""
    return F.binary_cross_entropy_with_logits(logits, abnormal.to(logits))


def similarity_loss(classes: Tensor, vectors: Tensor, numbers: Tensor) -> Tensor:
    """Symmetric cross-entropy between class embeddings and texts, as of CLIP.

    classes: (n, width), one for each text of each image; vectors: (m, width) of the distinct texts
    of the batch; numbers: (n,) which text each class embedding is of. Texts that several images
    share are matched with all of them alike.
    """
    logits = F.normalize(classes, dim=1) @ F.normalize(vectors, dim=1).T / TEMPERATURE
    match = F.one_hot(numbers, len(vectors)).to(logits)
    to_text = F.cross_entropy(logits, numbers)
    shares = match / match.sum(dim=0, keepdim=True)
    to_class = -(shares * logits.log_softmax(dim=0)).sum(dim=0).mean()
    return (to_text + to_class) / 2


def overlap_loss(maps: Tensor, mask: Tensor, counted: Tensor) -> Tensor:
    """1 - soft Dice of one map in [0, 1] and its mask, all (rows, columns); counted: 1 where the
    loss looks, 0 elsewhere."""
    common = (maps * mask * counted).sum()
    total = ((maps + mask) * counted).sum()
    return 1 - (2 * common + 1) / (total + 1)


def place_loss(logits: Tensor, mask: Tensor, counted: Tensor) -> Tensor:
    """Binary cross-entropy of one map's logits, the mean over what is counted."""
    every = F.binary_cross_entropy_with_logits(logits, mask, reduction="none")
    return (every * counted).sum() / counted.sum().clamp(min=1.0)


def choice_loss(logits: Tensor, dice: Tensor, likely: float) -> Tensor:
    """Of the regions of one picture, (n,) each: less the Dice to be expected when one is drawn by
    its belief, and ``likely`` times the cross-entropy of each one's own Dice."""
    expected = (logits.softmax(dim=0) * dice).sum()
    return torch.add(-expected, F.binary_cross_entropy_with_logits(logits, dice), alpha=likely)


def expectation_loss(expected: Tensor, logits: Tensor, dice: Tensor) -> Tensor:
    """Cross-entropy of expected Dice, of the regions of one picture in the measure in which they
    are chosen; (n,) each. The choice is not changed by it."""
    share = (SHARPNESS * logits.detach()).softmax(dim=0)
    every = F.binary_cross_entropy_with_logits(expected, dice, reduction="none")
    return (share * every).sum()
