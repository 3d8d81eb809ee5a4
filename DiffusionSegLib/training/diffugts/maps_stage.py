"""First stage: the attention maps, on features of the frozen encoder."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from DiffusionSegLib.methods.diffugts.anomaly_maps import (
    ABNORMAL,
    NORMAL,
    AnomalyMaps,
    MapsAndScores,
)
from DiffusionSegLib.methods.diffugts.dimensions import resized
from DiffusionSegLib.training.diffugts.cuts import HEALTHY
from DiffusionSegLib.training.diffugts.head_stage import HeadStage
from DiffusionSegLib.training.diffugts.losses import (
    anomaly_loss,
    overlap_loss,
    place_loss,
    similarity_loss,
)
from DiffusionSegLib.training.diffugts.pack import Pack
from DiffusionSegLib.training.diffugts.prepared import Prepared
from DiffusionSegLib.training.diffugts.selection import chosen_cuts, cut_weights
from DiffusionSegLib.training.diffugts.settings import GtsSettings

__all__ = ["DATA_SETTINGS", "MapsStage", "map_logits"]

DATA_SETTINGS = (
    "seed", "leave_out", "side", "canvas", "cuts", "synthetic", "anatomy_of_left_out",
    "weight_decay", "clip",
)  # fmt: skip
_MOST_VALIDATED = 24


class MapsStage(HeadStage):
    """Pictures have different sides, so that a batch is several passes of one picture each."""

    name = "maps"
    columns = ("rate", "anomaly", "similarity", "overlap", "place", "validation", "seconds")
    counted = (*DATA_SETTINGS, "maps_batch", "maps_rate")

    def __init__(
        self,
        network: AnomalyMaps,
        settings: GtsSettings,
        pack: Pack,
        prepared: Prepared,
        device: torch.device,
    ) -> None:
        super().__init__(network, settings, device, settings.maps_steps, settings.maps_rate)
        self.maps, self.pack, self.prepared = network, pack, prepared
        self.numbers = chosen_cuts(prepared, settings, "train")
        self.weights = torch.tensor(
            cut_weights(prepared, settings, self.numbers, settings.synthetic)
        )
        held = chosen_cuts(prepared, settings, "validation")
        self.held = held[:: max(1, -(-len(held) // _MOST_VALIDATED))]

    def loss(self) -> tuple[Tensor, dict[str, Tensor]]:
        """See losses."""
        drawn = self.drawn(self.weights, self.settings.maps_batch)
        chosen = [self.numbers[place] for place in drawn]
        texts = [self._texts(number) for number in chosen]
        parts = self._losses(chosen, texts)
        return torch.stack(list(parts.values())).sum(), parts

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """The same loss on some cuts of the validation part, with their own texts."""
        if not self.held:
            return {}
        parts = self._losses(self.held, [self.prepared.cuts[n].texts for n in self.held])
        return {"validation": float(torch.stack(list(parts.values())).sum())}

    def _texts(self, number: int) -> tuple[int, int]:
        """Another way to ask, each time."""
        pairs = self.pack.pictures[self.prepared.cuts[number].picture].texts
        return pairs[int(torch.randint(len(pairs), (), generator=self.rng))]

    def _losses(self, numbers: list[int], texts: list[tuple[int, int]]) -> dict[str, Tensor]:
        found = [self._look(n, pair) for n, pair in zip(numbers, texts, strict=True)]
        abnormal = [self.prepared.cuts[number].role != HEALTHY for number in numbers]
        every = sorted({text for pair in texts for text in pair})
        places = [every.index(text) for pair in texts for text in pair]
        overlap, place = self._place_losses(numbers, found)
        return {
            "anomaly": anomaly_loss(
                torch.cat([one.anomaly for one in found]),
                torch.tensor(abnormal, device=self.device),
            ),
            "similarity": similarity_loss(
                torch.cat([one.classes[0] for one in found]),
                self.pack.text[every].float().to(self.device),
                torch.tensor(places, device=self.device),
            ),
            "overlap": overlap,
            "place": place,
        }

    def _place_losses(
        self, numbers: list[int], found: list[MapsAndScores]
    ) -> tuple[Tensor, Tensor]:
        """Soft Dice of those with a lesion, and cross-entropy of all."""
        overlap, place = [], []
        for number, one in zip(numbers, found, strict=True):
            cut = self.prepared.cuts[number]
            size = (one.maps.shape[2], one.maps.shape[3])
            mask = F.adaptive_avg_pool2d(cut.mask[None].float(), size)[0].to(self.device)
            counted = 1 - F.adaptive_avg_pool2d(cut.ignored[None].float(), size)[0].to(self.device)
            place.append(place_loss(_apart(one)[0], mask, counted))
            if cut.role != HEALTHY:
                overlap.append(overlap_loss(one.maps[0, ABNORMAL], mask, counted))
        none = torch.zeros((), device=self.device)
        return (torch.stack(overlap).mean() if overlap else none), torch.stack(place).mean()

    def _look(self, number: int, texts: tuple[int, int]) -> MapsAndScores:
        features = [stage[None].float().to(self.device) for stage in self.prepared.stages[number]]
        vectors = self.pack.text[list(texts)][None].float().to(self.device)
        found: MapsAndScores = self.maps(features, vectors)
        return found


@torch.no_grad()
def map_logits(
    maps: AnomalyMaps, pack: Pack, prepared: Prepared, number: int
) -> tuple[Tensor, float]:
    """(rows, columns) of a cut's picture, abnormal less normal, and the anomaly head's score."""
    device = next(maps.parameters()).device
    cut = prepared.cuts[number]
    features = [stage[None].float().to(device) for stage in prepared.stages[number]]
    vectors = pack.text[list(cut.texts)][None].float().to(device)
    found = maps(features, vectors)
    whole = resized(_apart(found)[:, None], tuple(cut.image.shape))[0, 0]
    return whole.cpu(), float(found.anomaly.sigmoid())


def _apart(found: MapsAndScores) -> Tensor:
    return found.logits[:, ABNORMAL] - found.logits[:, NORMAL]
