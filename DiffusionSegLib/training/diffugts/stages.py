"""All stages one after the other, and what is measured at the end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from DiffusionSegLib.backbones.generative.interface import GenerativeBackbone
from DiffusionSegLib.methods.diffugts.anomaly_maps import AnomalyMapsConfig
from DiffusionSegLib.methods.diffugts.networks import NetworksConfig, TrainedNetworks
from DiffusionSegLib.methods.diffugts.region_choice import eligible
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.backbone.stage import seeded
from DiffusionSegLib.training.backbone.trainer import StageTrainer
from DiffusionSegLib.training.diffugts.cuts import HEALTHY, REAL
from DiffusionSegLib.training.diffugts.maps_stage import MapsStage, map_logits
from DiffusionSegLib.training.diffugts.measure import (
    answer,
    best_threshold,
    mean_dice,
    presence_limits,
    ranking,
)
from DiffusionSegLib.training.diffugts.pack import Pack
from DiffusionSegLib.training.diffugts.prepared import Prepared
from DiffusionSegLib.training.diffugts.regions import map_features
from DiffusionSegLib.training.diffugts.residual_stage import (
    ResidualStage,
    calibrate,
    evidence_of,
    outline,
    outline_dice,
)
from DiffusionSegLib.training.diffugts.rule_stage import RuleStage, Weighed, chosen_dice
from DiffusionSegLib.training.diffugts.selection import chosen_cuts, cut_weights
from DiffusionSegLib.training.diffugts.settings import GtsSettings

__all__ = ["Trained", "networks_config", "train_diffugts"]

_MAPS, _READ, _RULES = 0.5, 0.7, 0.85  # of the time, when each is done


@dataclass(frozen=True)
class Trained:
    """networks: of a finished run. threshold: of the coarse mask. presence: limits and rates.
    measured: rows of metrics. seconds: of all steps; steps: of each stage."""

    networks: TrainedNetworks
    threshold: float
    presence: dict[str, float]
    measured: list[dict[str, Any]]
    seconds: float
    steps: dict[str, int] = field(default_factory=dict)


def networks_config(backbone: GenerativeBackbone, text_width: int) -> NetworksConfig:
    """Of all that is trained, for a backbone and an encoder of sentences."""
    maps = AnomalyMapsConfig(tuple(backbone.stage_channels), text_width, dims=backbone.dims)
    return NetworksConfig(maps, backbone.latent_channels)


def train_diffugts(
    pack: Pack,
    prepared: Prepared,
    config: NetworksConfig,
    settings: GtsSettings,
    folder: Path,
    device: str,
    progress: Progress,
) -> Trained:
    """Each stage continues where it was."""
    place, begun = torch.device(device), time.monotonic()
    networks = seeded(lambda: TrainedNetworks(config), settings.seed)
    maps = StageTrainer(MapsStage(networks.maps, settings, pack, prepared, place), folder)
    maps.run(progress.part(0.0, _MAPS))
    networks.to(place).eval()
    view = _View.of(pack, prepared, networks, settings, progress.part(_MAPS, _READ))
    rules = [
        StageTrainer(_rule(networks, view, settings, place, marked), folder)
        for marked in (False, True)
    ]
    for number, rule in enumerate(rules):
        share = (_RULES - _READ) / 2
        rule.run(progress.part(_READ + number * share, _READ + (number + 1) * share))
    evidence = evidence_of(pack, prepared, view.train, networks.choice, view.features, view.logits)
    last = ResidualStage(networks.residual, networks.fusion, settings, evidence, place)
    residual = StageTrainer(last, folder)
    residual.run(progress.part(_RULES, 1.0))
    fitted = calibrate(networks.residual, networks.fusion, evidence)
    trainers = (maps, *rules, residual)
    threshold, presence, measured = _measured(view, networks, settings, fitted)
    return Trained(
        networks, threshold, presence, measured, time.monotonic() - begun,
        {trainer.stage.name: trainer.done for trainer in trainers},
    )  # fmt: skip


@dataclass(frozen=True)
class _View:
    """Of every cut that matters to a run: features of its regions, logits of its map, score of the
    anomaly head. left: cuts with tumors of the type that was left out."""

    pack: Pack
    prepared: Prepared
    train: list[int]
    held: list[int]
    left: list[int]
    features: dict[int, NDArray[np.float32]]
    logits: dict[int, Tensor]
    scores: dict[int, float]

    @staticmethod
    def of(
        pack: Pack,
        prepared: Prepared,
        networks: TrainedNetworks,
        settings: GtsSettings,
        progress: Progress,
    ) -> _View:
        train = chosen_cuts(prepared, settings, "train")
        held = chosen_cuts(prepared, settings, "validation")
        left = [
            number
            for number, cut in enumerate(prepared.cuts)
            if settings.leave_out
            and prepared.tumor[number] == settings.leave_out
            and cut.role == REAL
        ]
        view = _View(pack, prepared, train, held, left, {}, {}, {})
        for number in progress.track([*train, *held, *left], "Reading maps"):
            logits, score = map_logits(networks.maps, pack, prepared, number)
            view.features[number] = map_features(prepared.regions[number], logits)
            view.logits[number], view.scores[number] = logits.float(), score
        return view

    def items(self, numbers: list[int], settings: GtsSettings) -> list[Weighed]:
        """Pictures with regions that may be chosen."""
        weights = cut_weights(self.prepared, settings, numbers, settings.healthy)
        found = []
        for n, weight in zip(numbers, weights, strict=True):
            kept = eligible(self.features[n])
            if kept.any():
                own = self.prepared.regions[n].dice[kept]
                found.append(Weighed(self.features[n][kept], own, weight))
        return found

    def marked(self, numbers: list[int], settings: GtsSettings) -> list[Weighed]:
        """One for each mark of each picture."""
        weights = cut_weights(self.prepared, settings, numbers, settings.healthy)
        found = []
        for n, weight in zip(numbers, weights, strict=True):
            for mark in self.prepared.marks.get(n, ()):
                both = np.concatenate([self.features[n][mark.meant], mark.told], axis=1)
                found.append(Weighed(both, self.prepared.regions[n].dice[mark.meant], weight))
        return found


def _rule(
    networks: TrainedNetworks,
    view: _View,
    settings: GtsSettings,
    device: torch.device,
    marked: bool,
) -> RuleStage:
    items = view.marked if marked else view.items
    network = networks.marked if marked else networks.choice
    train, held = items(view.train, settings), items(view.held, settings)
    return RuleStage(network, settings, train, held, device)


def _measured(
    view: _View, networks: TrainedNetworks, settings: GtsSettings, fitted: float
) -> tuple[float, dict[str, float], list[dict[str, Any]]]:
    def answers(numbers: Sequence[int]) -> list[Any]:
        return [answer(view.prepared, n, networks.choice, view.features[n]) for n in numbers]

    role = {n: view.prepared.cuts[n].role for n in (*view.train, *view.held, *view.left)}
    train = answers([n for n in view.train if role[n] == REAL])
    held, left = answers(view.held), answers(view.left)
    threshold = best_threshold(view.prepared, train)
    presence = presence_limits(view.prepared, held, settings.false_alarms)
    rows: list[dict[str, Any]] = [{"split": "train", "outline_dice_of_twins": round(fitted, 3)}]
    for split, found in (("train", train), ("validation", held), ("left out", left)):
        for kind, values in mean_dice(view.prepared, found, threshold).items():
            rows.append({"split": split, "source": kind, **values})
    quality = {one.number: one.quality for one in held}
    for name, scores in (("regions", quality), ("anomaly head", view.scores)):
        tumors = [scores[n] for n in view.held if role[n] == REAL]
        healthy = [scores[n] for n in view.held if role[n] == HEALTHY]
        area = round(ranking(tumors, healthy), 3)
        rows.append({"split": "validation", "score": name, "area_under_curve": area})
    rows += _marked_rows(view, networks, settings)
    rows += _left_rows(view, networks)
    return threshold, presence, rows


def _marked_rows(
    view: _View, networks: TrainedNetworks, settings: GtsSettings
) -> list[dict[str, Any]]:
    """Dice of the region that a stroke or click chooses."""
    rows = []
    for split, numbers in (("validation", view.held), ("left out", view.left)):
        kinds: dict[str, list[float]] = {}
        for n in numbers:
            own = [chosen_dice(networks.marked, one) for one in view.marked([n], settings)]
            if view.prepared.cuts[n].role == REAL and own:
                kinds.setdefault(view.prepared.kind[n], []).append(float(np.mean(own)))
        for kind, dice in sorted(kinds.items()):
            row = {"pictures": len(dice), "marked_dice": round(float(np.mean(dice)), 3)}
            rows.append({"split": split, "source": kind, **row})
    return rows


@torch.no_grad()
def _left_rows(view: _View, networks: TrainedNetworks) -> list[dict[str, Any]]:
    """Of the twins of the left-out type: the belief alone, and with map and residuals."""
    prepared = view.prepared
    found = evidence_of(view.pack, prepared, view.left, networks.choice, view.features, view.logits)
    if not found:
        return []
    coarse = [outline_dice(one.coarse >= 0.5, one) for one in found]
    fused = [
        outline_dice(outline(networks.residual, networks.fusion, one).cpu() >= 0.5, one)
        for one in found
    ]
    return [
        {
            "split": "left out",
            "twins": len(found),
            "belief_dice": round(float(np.mean(coarse)), 3),
            "outline_dice": round(float(np.mean(fused)), 3),
        }
    ]
