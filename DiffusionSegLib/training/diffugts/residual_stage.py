"""Last stage: the feature residual's projection, and how all opinions are added up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from DiffusionSegLib.methods.diffugts.anomaly_maps import ABNORMAL, NORMAL
from DiffusionSegLib.methods.diffugts.dimensions import resized
from DiffusionSegLib.methods.diffugts.feature_residual import FeatureResidual
from DiffusionSegLib.methods.diffugts.fusion import Fusion
from DiffusionSegLib.methods.diffugts.pixel_residual import difference_scale, pixel_residual
from DiffusionSegLib.methods.diffugts.region_choice import RegionChoice
from DiffusionSegLib.training.diffugts.head_stage import HeadStage
from DiffusionSegLib.training.diffugts.losses import overlap_loss, place_loss
from DiffusionSegLib.training.diffugts.maps_stage import DATA_SETTINGS
from DiffusionSegLib.training.diffugts.pack import Pack
from DiffusionSegLib.training.diffugts.prepared import Prepared
from DiffusionSegLib.training.diffugts.regions import dice
from DiffusionSegLib.training.diffugts.settings import GtsSettings
from DiffusionSegLib.training.diffugts.twins import Twin

__all__ = ["Evidence", "ResidualStage", "calibrate", "gather", "outline_dice"]

_LIKE = 0.3  # Dice with the region that was filled, of regions that count as the same finding
_START = {"bias": -2.0, "coarse": 4.0, "map": 0.3, "pixel": 0.3, "feature": 0.1}
_THRESHOLDS = np.linspace(0.1, 0.9, 33)


@dataclass(frozen=True)
class Evidence:
    """Of the filled pixels of one twin, (n,) each: coarse, map, pixel as Fusion reads them; mask,
    counted as losses read them. filled: (rows, columns) bool; latent: (C, *places); vectors: (2,
    width) of the texts. outside: pixels of the lesion that were not filled."""

    coarse: Tensor
    map: Tensor
    pixel: Tensor
    mask: Tensor
    counted: Tensor
    filled: Tensor
    latent: Tensor
    vectors: Tensor
    outside: int


class ResidualStage(HeadStage):
    """Cross-entropy and soft Dice of the filled pixels."""

    name = "residual"
    columns = ("rate", "place", "overlap", "seconds")
    counted = (*DATA_SETTINGS, "twins", "twin_steps", "grow", "residual_batch", "residual_rate")

    def __init__(
        self,
        projection: FeatureResidual,
        fusion: Fusion,
        settings: GtsSettings,
        evidence: Sequence[Evidence],
        device: torch.device,
    ) -> None:
        for name, value in _START.items():
            getattr(fusion, name).data.fill_(value)
        both = nn.ModuleDict({"residual": projection, "fusion": fusion})
        super().__init__(both, settings, device, settings.residual_steps, settings.residual_rate)
        self.projection, self.fusion, self.evidence = projection, fusion, evidence
        self.weights = torch.ones(max(1, len(evidence)))

    def loss(self) -> tuple[Tensor, dict[str, Tensor]]:
        """The mean over some twins."""
        place, overlap = [], []
        for number in self.drawn(self.weights, self.settings.residual_batch):
            one = self.evidence[number]
            found = outline(self.projection, self.fusion, one).clamp(1e-6, 1 - 1e-6)
            mask, counted = one.mask.to(found), one.counted.to(found)
            place.append(place_loss(found.logit(), mask, counted))
            if bool(one.mask.any()):
                overlap.append(overlap_loss(found, mask, counted))
        parts = {"place": torch.stack(place).mean()}
        if overlap:
            parts["overlap"] = torch.stack(overlap).mean()
        return torch.stack(list(parts.values())).sum(), parts

    def validate(self) -> dict[str, float]:
        """Nothing: twins are of the training part alone."""
        return {}


def gather(
    pack: Pack,
    prepared: Prepared,
    number: int,
    choice: RegionChoice,
    features: np.ndarray[tuple[int, int], np.dtype[np.float32]],
    logits: Tensor,
) -> Evidence:
    """All but the feature residual of a cut's twin. features: of its regions, with the map's;
    logits: (rows, columns) of the map.

    The belief is what the rule would have if the region that was filled were its favorite: of
    regions that are unlike it, it is not asked.
    """
    cut, twin, regions = prepared.cuts[number], prepared.twins[number], prepared.regions[number]
    whole = regions.zones()[0]
    like = dice(whole, whole[twin.region]) >= _LIKE
    belief = torch.from_numpy(choice.choose(whole[like], features[like]).belief)
    coarse = resized(belief[None, None], tuple(cut.image.shape))[0, 0]
    filled, counted = twin.filled, (~cut.ignored).float()
    return Evidence(
        coarse[filled], logits[filled], _pixel(twin, cut.image)[filled],
        cut.mask.float()[filled], counted[filled], filled, twin.latent.float(),
        pack.text[list(cut.texts)].float(), int((cut.mask & ~filled).sum()),
    )  # fmt: skip


def outline(projection: FeatureResidual, fusion: Fusion, one: Evidence) -> Tensor:
    """(n,) probability of the filled pixels."""
    device = next(projection.parameters()).device
    logits = projection(one.latent[None].to(device), one.vectors[None].to(device))
    apart = (logits[:, ABNORMAL] - logits[:, NORMAL])[:, None]
    feature = resized(apart, tuple(one.filled.shape))[0, 0][one.filled.to(device)]
    told = (part.to(device) for part in (one.coarse, one.map, one.pixel))
    found: Tensor = fusion(*told, feature)
    return found


@torch.no_grad()
def calibrate(projection: FeatureResidual, fusion: Fusion, evidence: Sequence[Evidence]) -> float:
    """Move the bias so that 0.5 is the threshold with the best mean Dice; returns that Dice."""
    found = [(outline(projection, fusion, one).cpu(), one) for one in evidence if one.mask.any()]
    if not found:
        return 0.0
    means = [np.mean([outline_dice(p >= t, one) for p, one in found]) for t in _THRESHOLDS]
    best = int(np.argmax(means))
    threshold = float(_THRESHOLDS[best])
    fusion.bias.sub_(float(np.log(threshold / (1 - threshold))))
    return float(means[best])


def outline_dice(inside: Tensor, one: Evidence) -> float:
    """Dice of an outline (n,) bool of filled pixels with the whole lesion."""
    counted = one.counted > 0.5
    mask = one.mask > 0.5
    common = int((inside & mask & counted).sum())
    total = int((inside & counted).sum()) + int((mask & counted).sum()) + one.outside
    return 2 * common / max(1, total)


def _pixel(twin: Twin, image: Tensor) -> Tensor:
    scale = difference_scale(image.numpy().astype(np.float32) / 255)
    return torch.from_numpy(pixel_residual(twin.difference.float().numpy(), scale, (0, 1)))


def evidence_of(
    pack: Pack,
    prepared: Prepared,
    numbers: Sequence[int],
    choice: RegionChoice,
    features: Mapping[int, np.ndarray[tuple[int, int], np.dtype[np.float32]]],
    logits: Mapping[int, Tensor],
) -> list[Evidence]:
    """Of those of the cuts that have a twin."""
    return [
        gather(pack, prepared, n, choice, features[n], logits[n])
        for n in numbers
        if n in prepared.twins
    ]
