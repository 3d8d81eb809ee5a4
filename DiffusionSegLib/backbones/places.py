"""Where models lie: those shipped with the package, and the user's own folder."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["HUB_ROOM", "bundled_folders", "hub_room", "user_folder"]

_FOLDER_VARIABLE = "DIFFUSIONSEG_MODELS"
HUB_ROOM = "hub"  # beside the methods' rooms: what was fetched from the Hugging Face hub


def bundled_folders() -> list[Path]:
    """Resources/Models inside the installed package, else beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    candidates = [package / "Resources" / "Models", package.parent / "Resources" / "Models"]
    return [path for path in candidates if path.is_dir()][:1]


def user_folder() -> Path:
    """The folder that DIFFUSIONSEG_MODELS names, else models in the user's data folder: never a
    cache, which other programs trim."""
    chosen = os.environ.get(_FOLDER_VARIABLE)
    if chosen:
        return Path(os.path.expanduser(chosen))
    from platformdirs import user_data_path

    return user_data_path("DiffusionSeg") / "models"


def hub_room(source: str, models: Path | None = None) -> Path:
    """The folder of one repository, "org/name" or "org/name@revision", in the folder of models."""
    name = source.replace("/", "--").replace("@", "--at--")
    return (models or user_folder()) / HUB_ROOM / name
