"""Stable Diffusion's family as generative backbones of two dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from DiffusionSegLib.backbones.generative.interface import Encoded, ScanFacts
from DiffusionSegLib.backbones.generative.precision import in_numbers
from DiffusionSegLib.backbones.latent_diffusion.hub import beside_card
from DiffusionSegLib.backbones.latent_diffusion.interface import TextEmbedding
from DiffusionSegLib.backbones.latent_diffusion.noise import full_schedule
from DiffusionSegLib.backbones.latent_diffusion.pipeline import DiffusersPipeline, open_pipeline
from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.diffusion.noise_process import DiscreteProcess, NoiseProcess
from DiffusionSegLib.errors import ModelError

__all__ = ["PipelineGenerative", "open_pipeline_generative"]

# What schedulers call the predictions, and what the noise process does.
_PREDICTIONS = {"epsilon": "epsilon", "v_prediction": "velocity", "sample": "sample"}
_OTHER_NOISE = ("rescale_betas_zero_snr", "trained_betas")


def open_pipeline_generative(
    settings: Mapping[str, Any], device: str, store: ModelStore, folder: Path | None
) -> PipelineGenerative:
    """settings: {"source": a folder or hub id, as diffusers saves a pipeline}.

    Raises ModelError.
    """
    source = settings.get("source")
    if not isinstance(source, str) or not source.strip():
        raise ModelError(
            "A backbone of kind 'pipeline' needs a 'source' in the model's settings, a folder or a "
            f"hub id, not {source!r}."
        )
    return PipelineGenerative(open_pipeline(beside_card(source, folder), device))


class PipelineGenerative:
    """See GenerativeBackbone. The stages are what the image encoder's first, second and last block
    put out (our choice): half, quarter and the latent's resolution. The weights' hash and their
    licence are not known."""

    dims = 2
    weights_sha256 = ""
    licence = ""

    def __init__(self, model: DiffusersPipeline) -> None:
        """Raises ModelError for a noise schedule or a prediction that is not known."""
        self.model = model
        self.name = model.name
        self.factor = model.latent_factor
        self.multiple = model.image_multiple
        self.latent_channels = model.latent_channels
        widths = model.encoder_channels
        self._stages = sorted({0, min(1, len(widths) - 1), len(widths) - 1})
        self.stage_channels = tuple(widths[number] for number in self._stages)
        # Every block but the last halves.
        self.stage_factors = tuple(2 ** min(number + 1, len(widths) - 1) for number in self._stages)
        self.process: NoiseProcess = _process(model)
        self.steps = 50

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.model.device

    @property
    def dtype(self) -> torch.dtype:
        """The arithmetic in use."""
        return self.model.dtype

    def encode(self, image: Tensor) -> Encoded:
        """image: (B, 1, rows, columns); all channels of the model are given the gray value."""
        colored = image.clamp(0, 1) * 2 - 1
        colored = colored.expand(-1, self.model.image_channels, *image.shape[2:])

        def compute() -> tuple[Tensor, ...]:
            latent, blocks = self.model.encode_blocks(colored)
            return (latent, *(blocks[number] for number in self._stages))

        latent, *stages = in_numbers(self, "encoding the image", compute)
        return Encoded(latent.float(), tuple(stage.float() for stage in stages))

    def decode(self, latent: Tensor) -> Tensor:
        """The mean of the channels."""
        (image,) = in_numbers(self, "decoding the image", lambda: (self.model.decode(latent),))
        gray = image.float().mean(dim=1, keepdim=True)
        return ((gray + 1) / 2).clamp(0, 1)

    def condition(self, facts: ScanFacts) -> TextEmbedding:
        """The text; nothing else is told to such models."""
        return self.model.embed_text(facts.text)

    def predict(self, noisy: Tensor, level: float, condition: TextEmbedding) -> Tensor:
        """The noise or the velocity, as the pipeline's scheduler says, float32."""
        states = condition.states.expand(len(noisy), -1, -1)
        text = replace(condition, states=states)
        timestep = int(self.process.time(level))
        (output,) = in_numbers(
            self, "one denoising step", lambda: (self.model.denoise(noisy, timestep, text),)
        )
        return output.float()

    def to_float32(self) -> None:
        """All parts, for good."""
        self.model.to_float32()


def _process(model: DiffusersPipeline) -> DiscreteProcess:
    told = model.scheduler
    kind = told.get("prediction_type", "epsilon")
    other = [name for name in _OTHER_NOISE if told.get(name)]
    if kind not in _PREDICTIONS or other:
        raise ModelError(
            f"The scheduler of {model.name} is not known ({', '.join(other) or kind}); a pipeline "
            f"with a plain schedule that predicts one of {', '.join(_PREDICTIONS)} is needed."
        )
    return DiscreteProcess(full_schedule(told), _PREDICTIONS[kind])
