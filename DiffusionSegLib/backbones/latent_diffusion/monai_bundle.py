"""MONAI's latent diffusion bundles, such as its chest X-ray model, which reads reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from DiffusionSegLib.backbones.latent_diffusion.folder import PipelineFolder
from DiffusionSegLib.backbones.latent_diffusion.hub import TEXT_SOURCE, find_model, wanted_files
from DiffusionSegLib.backbones.latent_diffusion.interface import TextEmbedding
from DiffusionSegLib.backbones.latent_diffusion.monai_config import (
    CONFIG,
    MonaiConfig,
    read_config,
)
from DiffusionSegLib.backbones.latent_diffusion.monai_weights import (
    ENDINGS,
    STEMS,
    find_weights,
    load_network,
)
from DiffusionSegLib.backbones.latent_diffusion.noise import ForwardProcess
from DiffusionSegLib.backbones.latent_diffusion.one_network import OneNetwork
from DiffusionSegLib.backbones.latent_diffusion.readable import check_readable
from DiffusionSegLib.backbones.latent_diffusion.text import TextEncoder, load_text_encoder
from DiffusionSegLib.compute.device import memory_errors_explained, prefers_float16
from DiffusionSegLib.errors import ModelError

__all__ = ["TEXT_SOURCE", "MonaiDiffusion", "open_monai"]

_TEXT_PARTS = ("tokenizer", "text_encoder")


def open_monai(source: str | Path, device: str = "cpu") -> MonaiDiffusion:
    """Open a bundle by folder or hub id; in half precision on an NVIDIA GPU, else in float32.

    The folder holds models/autoencoder and models/diffusion_model (.safetensors, or .pt and .pth
    with nothing but tensors), configs/inference.json (else the published one), and tokenizer/ and
    text_encoder/ of Stable Diffusion 2.1-base, which the hub's copy lacks: they are fetched with
    it. Raises ModelError for what is missing, damaged, or of another kind.
    """
    dtype = torch.float16 if prefers_float16(device) else torch.float32
    folder = find_model(source, dtype != torch.float32, bundle_files)
    files = _weights(folder)
    text = _text_folder(folder, fetched=not Path(source).expanduser().is_dir())
    config = read_config(folder)
    with memory_errors_explained(f"the model {source}"):
        parts = (config.autoencoder, config.network)
        autoencoder, network = (
            load_network(kind, arguments, file, dtype)
            for (kind, file), arguments in zip(files.items(), parts, strict=True)
        )
        words = load_text_encoder(PipelineFolder(text), config.text_width, dtype, device)
        return MonaiDiffusion(
            str(source), config, network.to(device), autoencoder.to(device), words
        )


def bundle_files(names: Sequence[str], prefer_half: bool = False) -> list[str]:
    """Of a bundle's repository those that are used: settings, one copy of the weights, the text."""
    weights = [[f"{stem}{ending}" for ending in ENDINGS] for stem in STEMS.values()]
    chosen = [next((one for one in copies if one in names), None) for copies in weights]
    own = [one for one in (CONFIG, *chosen) if one in names]
    return sorted({*(one for one in own if one is not None), *text_files(names, prefer_half)})


def text_files(names: Sequence[str], prefer_half: bool = False) -> list[str]:
    """Of a pipeline's repository those that a bundle without a text encoder lacks."""
    return [one for one in wanted_files(names, prefer_half) if one.partition("/")[0] in _TEXT_PARTS]


def _weights(folder: Path) -> dict[str, Path]:
    """Of each network by its class; raises ModelError that names everything missing."""
    found = {kind: find_weights(folder, kind) for kind in STEMS}
    missing = [f"{STEMS[kind]}.pt" for kind, file in found.items() if file is None]
    if missing:
        raise ModelError(
            f"The model folder {folder} is incomplete: {' and '.join(missing)} (or .safetensors) "
            "missing. It must hold a MONAI bundle's folder models; download it again."
        )
    return {kind: file for kind, file in found.items() if file is not None}


def _text_folder(folder: Path, fetched: bool) -> Path:
    """Where tokenizer and text encoder are: in the bundle, or for one from the hub beside it."""
    missing = [part for part in _TEXT_PARTS if not (folder / part).is_dir()]
    if not missing:
        return folder
    if fetched:
        return find_model(TEXT_SOURCE, False, text_files)
    raise ModelError(
        f"The model folder {folder} is incomplete: {' and '.join(missing)} missing. Put the "
        f"folders tokenizer and text_encoder of Stable Diffusion 2.1-base ({TEXT_SOURCE}) there."
    )


class MonaiDiffusion(OneNetwork):
    """See LatentDiffusion for shapes and ranges; the bundle's own range, [0, 1], stays inside. The
    network predicts the velocity."""

    def __init__(
        self,
        name: str,
        config: MonaiConfig,
        network: Any,
        autoencoder: Any,
        text_encoder: TextEncoder,
    ) -> None:
        self.name = name
        self._scale = config.latent_scale
        self._network = network
        self._autoencoder = autoencoder
        self._text_encoder = text_encoder
        self._process = ForwardProcess(config.schedule)
        self.timesteps = self._process.timesteps
        self.image_channels = int(config.autoencoder["in_channels"])
        # Both networks halve at every level but the last.
        self.latent_factor = 2 ** (len(config.autoencoder["channels"]) - 1)
        self.image_multiple = self.latent_factor * 2 ** (len(config.network["channels"]) - 1)

    def encode(self, image: Tensor) -> Tensor:
        """The mean of the latent, scaled. Raises InputError for a wrong shape."""
        check_readable(self, image)
        with torch.no_grad():
            mean: Tensor = self._autoencoder.encode((image.to(self.device, self.dtype) + 1) / 2)[0]
        return mean * self._scale

    def embed_text(self, text: str) -> TextEmbedding:
        """By the tokenizer and the text encoder of Stable Diffusion 2.1-base."""
        return self._text_encoder.embed(text)

    def add_noise(self, latent: Tensor, timestep: int, noise: Tensor) -> Tensor:
        """By the bundle's own schedule."""
        return self._process.add_noise(latent, timestep, noise.to(latent))

    def denoise(self, latent: Tensor, timestep: int, text: TextEmbedding) -> Tensor:
        """The velocity, shaped as the latent."""
        with torch.no_grad():
            predicted: Tensor = self._network(
                latent.to(self.device, self.dtype),
                torch.tensor([timestep], device=self.device),
                context=text.states.to(self.device, self.dtype),
            )
        return predicted

    def to_float32(self) -> None:
        """All parts, for good."""
        for part in (self._network, self._autoencoder, self._text_encoder.network):
            part.float()
