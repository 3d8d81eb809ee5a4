"""A pipeline's folder as diffusers writes it: which parts there are, and what is wrong with one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from DiffusionSegLib.errors import ModelError

__all__ = ["PipelineFolder", "choose_weights", "read_json"]

CLASSES = {"unet": "UNet2DConditionModel", "vae": "AutoencoderKL"}
_STEM = "diffusion_pytorch_model"
# In order of preference: full precision, half precision; one file or a list of several.
_WEIGHTS = tuple(
    f"{_STEM}{ending}"
    for ending in (
        ".safetensors", ".safetensors.index.json",
        ".fp16.safetensors", ".safetensors.index.fp16.json",
    )
)  # fmt: skip
_PICKLES = (".bin", ".ckpt", ".pt", ".pth")


def choose_weights(names: Sequence[str], prefer_half: bool = False) -> str | None:
    """Which of a part's file names holds its weights; None when there is none that is safe."""
    order = (*_WEIGHTS[2:], *_WEIGHTS[:2]) if prefer_half else _WEIGHTS
    return next((name for name in order if name in names), None)


def read_json(path: Path) -> Any:
    """The content of a JSON file; raises ModelError."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"The file {path} cannot be read as JSON: {error}.") from error


@dataclass(frozen=True)
class PipelineFolder:
    """A folder that holds at least unet/ and vae/, each with config.json and safetensors."""

    path: Path

    @classmethod
    def check(cls, path: Path) -> PipelineFolder:
        """Raises ModelError that names everything missing, or the part of the wrong kind."""
        missing = [
            f"{part}/config.json" for part in CLASSES if not (path / part / "config.json").is_file()
        ]
        if missing:
            raise ModelError(
                f"The model folder {path} is incomplete: {' and '.join(missing)} missing. It must "
                "hold the folders unet and vae as diffusers saves a pipeline; download it again."
            )
        folder = cls(path)
        for part, wanted in CLASSES.items():
            found = folder.config(part).get("_class_name", "nothing")
            if found != wanted:
                raise ModelError(
                    f"The {part} of {path} is a {found}, but a {wanted} is needed: use a latent "
                    "diffusion model of the Stable Diffusion 1 or 2 family."
                )
            folder.weights(part)
        return folder

    def config(self, part: str) -> Mapping[str, Any]:
        """The settings of a part's network."""
        file = self.path / part / "config.json"
        settings = read_json(file)
        if not isinstance(settings, dict):
            raise ModelError(f"The file {file} does not hold settings by name.")
        return settings

    def weights(self, part: str, prefer_half: bool = False) -> tuple[Path, ...]:
        """The safetensors files of a part; raises ModelError when there is none."""
        folder = self.path / part
        names = [file.name for file in folder.iterdir() if file.is_file()]
        chosen = choose_weights(names, prefer_half)
        if chosen is None:
            raise ModelError(self._no_weights(part, names))
        if not chosen.endswith(".json"):
            return (folder / chosen,)
        listed = read_json(folder / chosen)
        shards = sorted(set(listed.get("weight_map", {}).values()))
        lost = [name for name in shards if name not in names]
        if lost or not shards:
            raise ModelError(
                f"The model folder {self.path} is incomplete: {part}/{', '.join(lost) or chosen} "
                "missing or empty; download it again."
            )
        return tuple(folder / name for name in shards)

    def _no_weights(self, part: str, names: Sequence[str]) -> str:
        pickles = sorted(name for name in names if name.endswith(_PICKLES))
        if pickles:
            return (
                f"The weights of {part} in {self.path} are only there as {pickles[0]}, a pickle, "
                "which can run code; it was not opened. Get the model's safetensors files, or "
                "convert a model that you trust by loading and saving it with diffusers."
            )
        return (
            f"The model folder {self.path} is incomplete: {part}/{_WEIGHTS[0]} missing; download "
            "it again."
        )
