"""Both stages one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from DiffusionSegLib.backbones.compact.config import CompactConfig
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.backbone.autoencoder_stage import AutoencoderStage
from DiffusionSegLib.training.backbone.denoiser_stage import DenoiserStage
from DiffusionSegLib.training.backbone.pack import Pack
from DiffusionSegLib.training.backbone.settings import TrainingSettings
from DiffusionSegLib.training.backbone.trainer import StageTrainer

__all__ = ["Stages", "train_backbone"]

_FIRST_SHARE = 0.25  # of the time, about


@dataclass(frozen=True)
class Stages:
    """Both stages, trained."""

    autoencoder: StageTrainer
    denoiser: StageTrainer


def train_backbone(
    pack: Pack,
    settings: TrainingSettings,
    folder: Path,
    device: str,
    progress: Progress,
    config: CompactConfig | None = None,
) -> Stages:
    """Train the autoencoder, then the denoising network with it; each continues where it was.

    config: of the networks, by default the shipped ones.
    """
    config, place = config or CompactConfig(), torch.device(device)
    first = AutoencoderStage(config.autoencoder, settings, pack, place)
    autoencoder = StageTrainer(first, folder)
    autoencoder.run(progress.part(0.0, _FIRST_SHARE))
    second = DenoiserStage(config, first.average.network, settings, pack, place)
    denoiser = StageTrainer(second, folder)
    denoiser.run(progress.part(_FIRST_SHARE, 1.0))
    return Stages(autoencoder, denoiser)
