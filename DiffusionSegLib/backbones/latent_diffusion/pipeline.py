"""A diffusers pipeline (Stable Diffusion 1 and 2, their mirrors and medical fine-tunes)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from DiffusionSegLib.backbones.latent_diffusion.folder import PipelineFolder, read_json
from DiffusionSegLib.backbones.latent_diffusion.hub import find_model
from DiffusionSegLib.backbones.latent_diffusion.interface import TextEmbedding
from DiffusionSegLib.backbones.latent_diffusion.noise import ForwardProcess
from DiffusionSegLib.backbones.latent_diffusion.one_network import OneNetwork
from DiffusionSegLib.backbones.latent_diffusion.parts import load_part
from DiffusionSegLib.backbones.latent_diffusion.readable import check_readable
from DiffusionSegLib.backbones.latent_diffusion.text import TextEncoder, load_text_encoder
from DiffusionSegLib.compute.device import memory_errors_explained, prefers_float16
from DiffusionSegLib.diffusion.attention.layers import find_attention_layers
from DiffusionSegLib.errors import ModelError

__all__ = ["DiffusersPipeline", "open_pipeline"]


def open_pipeline(source: str | Path, device: str = "cpu") -> DiffusersPipeline:
    """Open a model by folder or hub id; in half precision where
    that is faster (see prefers_float16), else in float32.

    Raises ModelError for what is missing, damaged, of another kind, or without self-attention.
    """
    dtype = torch.float16 if prefers_float16(device) else torch.float32
    folder = PipelineFolder.check(find_model(source, dtype != torch.float32))
    with memory_errors_explained(f"the model {source}"):
        network = load_part(folder, "unet", dtype)
        if not any(layer.kind == "self" for layer in find_attention_layers(network)):
            raise ModelError(
                f"The unet of {folder.path} has no self-attention; another model is needed."
            )
        width = folder.config("unet").get("cross_attention_dim")
        if not isinstance(width, int):
            raise ModelError(
                f"The unet of {folder.path} reads texts of width {width}; one width is needed, as "
                "Stable Diffusion 1 and 2 have it."
            )
        return DiffusersPipeline(
            str(source),
            network.to(device),
            load_part(folder, "vae", dtype).to(device),
            load_text_encoder(folder, width, dtype, device),
            _scheduler(folder),
        )


def _scheduler(folder: PipelineFolder) -> Mapping[str, Any]:
    file = folder.path / "scheduler" / "scheduler_config.json"
    settings: Mapping[str, Any] = read_json(file) if file.is_file() else {}
    return settings


@contextmanager
def _outputs_of(layers: Iterable[nn.Module]) -> Iterator[list[Tensor]]:
    """What the layers put out inside the block, in the order in which they are run."""
    seen: list[Tensor] = []
    hooks = [layer.register_forward_hook(lambda *told: seen.append(told[2])) for layer in layers]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


class DiffusersPipeline(OneNetwork):
    """See LatentDiffusion for shapes and ranges."""

    def __init__(
        self,
        name: str,
        network: Any,
        autoencoder: Any,
        text_encoder: TextEncoder,
        scheduler: Mapping[str, Any],
    ) -> None:
        self.name = name
        self._network = network
        self._autoencoder = autoencoder
        self._text_encoder = text_encoder
        self.scheduler = scheduler
        self._process = ForwardProcess(scheduler)
        self.timesteps = self._process.timesteps
        self.image_channels = int(autoencoder.config.in_channels)
        self.latent_channels = int(autoencoder.config.latent_channels)
        self.encoder_channels = tuple(int(one) for one in autoencoder.config.block_out_channels)
        # The autoencoder halves at every level but the last, and so does the denoising network.
        self.latent_factor = 2 ** (len(autoencoder.config.block_out_channels) - 1)
        halvings = len(network.config.block_out_channels) - 1
        self.image_multiple = self.latent_factor * 2**halvings

    def encode(self, image: Tensor) -> Tensor:
        """The mean of the latent, shifted and scaled. Raises InputError for a wrong shape."""
        return self.encode_blocks(image)[0]

    def encode_blocks(self, image: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The latent as `encode` gives it, and what each block of the encoder puts out on the way
        down, ``encoder_channels`` wide."""
        check_readable(self, image)
        settings = self._autoencoder.config
        with torch.no_grad(), _outputs_of(self._autoencoder.encoder.down_blocks) as blocks:
            found = self._autoencoder.encode(image.to(self.device, self.dtype))
            latent: Tensor = found.latent_dist.mode()
        return (latent - self._shift) * settings.scaling_factor, tuple(blocks)

    def decode(self, latent: Tensor) -> Tensor:
        """The image (B, image_channels, rows, columns), about [-1, 1], of a scaled latent."""
        unscaled = latent / self._autoencoder.config.scaling_factor + self._shift
        with torch.no_grad():
            image: Tensor = self._autoencoder.decode(
                unscaled.to(self.device, self.dtype), return_dict=False
            )[0]
        return image

    @property
    def _shift(self) -> float:
        return float(getattr(self._autoencoder.config, "shift_factor", None) or 0.0)

    def embed_text(self, text: str) -> TextEmbedding:
        """By the pipeline's own tokenizer and text encoder."""
        return self._text_encoder.embed(text)

    def add_noise(self, latent: Tensor, timestep: int, noise: Tensor) -> Tensor:
        """By the pipeline's own schedule."""
        return self._process.add_noise(latent, timestep, noise.to(latent))

    def denoise(self, latent: Tensor, timestep: int, text: TextEmbedding) -> Tensor:
        """What the network predicts (noise, or velocity), shaped as the latent."""
        with torch.no_grad():
            predicted: Tensor = self._network(
                latent.to(self.device, self.dtype),
                torch.tensor([timestep], device=self.device),
                encoder_hidden_states=text.states.to(self.device, self.dtype),
                return_dict=False,
            )[0]
        return predicted

    def to_float32(self) -> None:
        """All parts, for good."""
        for part in (self._network, self._autoencoder, self._text_encoder.network):
            part.float()
