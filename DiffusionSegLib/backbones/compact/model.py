"""The compact latent diffusion model behind the interface that Stable Diffusion has too."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from DiffusionSegLib.backbones.compact.autoencoder import Autoencoder
from DiffusionSegLib.backbones.compact.config import CompactConfig
from DiffusionSegLib.backbones.compact.denoiser import Denoiser
from DiffusionSegLib.backbones.compact.words import open_minilm
from DiffusionSegLib.backbones.latent_diffusion.interface import TextEmbedding
from DiffusionSegLib.backbones.latent_diffusion.noise import ForwardProcess
from DiffusionSegLib.backbones.latent_diffusion.readable import check_readable
from DiffusionSegLib.backbones.latent_diffusion.text import TextEncoder
from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.backbones.weights import load_weights
from DiffusionSegLib.compute.device import memory_errors_explained, prefers_float16
from DiffusionSegLib.errors import ModelError

__all__ = ["EMPTY_TEXT", "METHOD", "CompactDiffusion", "open_compact"]

METHOD = "backbone"  # what the cards of such models name as their method
WEIGHTS = "weights.safetensors"
EMPTY_TEXT = "empty_text"  # the tensor of the empty text's states
_PARTS = ("autoencoder", "denoiser")


def open_compact(entry: ModelEntry, device: str = "cpu") -> CompactDiffusion:
    """Open a model folder; in half precision where that is faster (see prefers_float16), else
    in float32.

    Raises ModelError for weights that are missing, damaged or of other networks.
    """
    dtype = torch.float16 if prefers_float16(device) else torch.float32
    config = CompactConfig.from_dict(entry.settings)
    weights = load_weights(entry, WEIGHTS)
    with memory_errors_explained(f"the model {entry.id}"):
        autoencoder, denoiser = Autoencoder(config.autoencoder), Denoiser(config.denoiser)
        for part, network in zip(_PARTS, (autoencoder, denoiser), strict=True):
            _fill(network, weights, part, entry.id)
            network.to(device, dtype).eval().requires_grad_(False)
        if EMPTY_TEXT not in weights:
            raise ModelError(f"The weights of {entry.id} lack {EMPTY_TEXT}; install them again.")
        empty = weights[EMPTY_TEXT].float()
        sha256 = entry.file(WEIGHTS).sha256
        return CompactDiffusion(entry.id, config, autoencoder, denoiser, empty, sha256)


def _fill(network: nn.Module, weights: Mapping[str, Tensor], part: str, name: str) -> None:
    start = f"{part}."
    own = {key.removeprefix(start): v for key, v in weights.items() if key.startswith(start)}
    try:
        network.load_state_dict({key: value.float() for key, value in own.items()})
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines()[1:]]
        raise ModelError(
            f"The weights of {part} in {name} do not belong to its settings: "
            f"{(lines or [str(error)])[0][:200]}"
        ) from error


class CompactDiffusion:
    """See LatentDiffusion for shapes and ranges; gray images are given as three equal channels."""

    image_channels = 3

    def __init__(
        self,
        name: str,
        config: CompactConfig,
        autoencoder: Autoencoder,
        denoiser: Denoiser,
        empty_text: Tensor,
        weights_sha256: str = "",
    ) -> None:
        """empty_text: (1, tokens, features) states of the empty text; weights_sha256: of the file
        that the networks' weights were read from."""
        self.name = name
        self.weights_sha256 = weights_sha256
        self.config = config
        self._autoencoder = autoencoder
        self._denoiser = denoiser
        self._empty_text = empty_text
        self._words: TextEncoder | None = None
        self._process = ForwardProcess(config.schedule)
        self.timesteps = self._process.timesteps
        self.latent_factor = config.autoencoder.factor
        self.image_multiple = self.latent_factor * 2**config.denoiser.halvings

    @property
    def network(self) -> nn.Module:
        """The denoising network; it predicts the velocity."""
        return self._denoiser

    @property
    def dtype(self) -> torch.dtype:
        """The arithmetic in use."""
        return next(self._denoiser.parameters()).dtype

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self._denoiser.parameters()).device

    def encode(self, image: Tensor) -> Tensor:
        """The mean of the latent, scaled. Raises InputError for a wrong shape."""
        return self.encode_stages(image)[0]

    @torch.no_grad()
    def encode_stages(self, image: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The latent as `encode` gives it, and what the encoder's residual blocks put out."""
        check_readable(self, image)
        latent, stages = self._autoencoder.encode_stages(image.to(self.device, self.dtype))
        return latent.mean.to(self.dtype) * self.config.latent_scale, stages

    @torch.no_grad()
    def decode(self, latent: Tensor) -> Tensor:
        """The image (1, 3, rows, columns) in [-1, 1] of a scaled latent, float32."""
        unscaled = latent.to(self.device, self.dtype) / self.config.latent_scale
        return self._autoencoder.decode(unscaled).clamp(-1, 1)

    def embed_text(self, text: str) -> TextEmbedding:
        """By MiniLM; the states of the empty text come with the weights and need no other package.

        Raises ModelError when MiniLM is needed and missing, PromptError when the text is too long.
        """
        if not text.strip():
            length = self._empty_text.shape[1]
            return TextEmbedding(text, self._empty_text, ("",) * length, (None,) * length)
        if self._words is None:
            self._words = open_minilm(self.config.text_length)
        return self._words.embed(text)

    def add_noise(self, latent: Tensor, timestep: int, noise: Tensor) -> Tensor:
        """By the schedule that it was trained with."""
        return self._process.add_noise(latent, timestep, noise.to(latent))

    def denoise(self, latent: Tensor, timestep: int, text: TextEmbedding) -> Tensor:
        """The velocity √ᾱ ε − √(1 − ᾱ) z, shaped as the latent."""
        return self.velocity(latent, timestep, text.states)

    @torch.no_grad()
    def velocity(self, latents: Tensor, timestep: int, states: Tensor) -> Tensor:
        """Of latents (B, ...) at once; states: (1 or B, tokens, features) of their texts."""
        batch = len(latents)
        velocity: Tensor = self._denoiser(
            latents.to(self.device, self.dtype),
            torch.full((batch,), timestep, device=self.device),
            states.to(self.device, self.dtype).expand(batch, -1, -1),
        )
        return velocity

    def split_velocity(
        self, noisy: Tensor, velocity: Tensor, timestep: int
    ) -> tuple[Tensor, Tensor]:
        """The clean latent √ᾱ z_t − √(1 − ᾱ) v and the noise √(1 − ᾱ) z_t + √ᾱ v."""
        signal = float(self._process.signal[timestep])
        rest = (1 - signal**2) ** 0.5
        return signal * noisy - rest * velocity, rest * noisy + signal * velocity

    def to_float32(self) -> None:
        """All parts, for good."""
        self._autoencoder.float()
        self._denoiser.float()
