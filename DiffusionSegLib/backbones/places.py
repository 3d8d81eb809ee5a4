"""Where models lie: those shipped with the package, and the user's own folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from DiffusionSegLib.errors import InputError

__all__ = [
    "HUB_ROOM", "bundled_folders", "constraints_file", "hub_room", "missing_folder_note",
    "user_data_folder", "user_folder",
]  # fmt: skip

_NAME = "DiffusionSeg"
_FOLDER_VARIABLE = "DIFFUSIONSEG_MODELS"
HUB_ROOM = "hub"  # beside the methods' rooms: what was fetched from the Hugging Face hub


def bundled_folders() -> list[Path]:
    """Resources/Models inside the installed package, else beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    candidates = [package / "Resources" / "Models", package.parent / "Resources" / "Models"]
    return [path for path in candidates if path.is_dir()][:1]


def constraints_file() -> Path | None:
    """The exact versions that this program was tested with: constraints.txt inside the installed
    package, else beside it in a checkout; None where it was lost."""
    package = Path(__file__).resolve().parent.parent
    candidates = [package / "Resources" / "constraints.txt", package.parent / "constraints.txt"]
    return next((path for path in candidates if path.is_file()), None)


def user_folder() -> Path:
    """The folder that DIFFUSIONSEG_MODELS names, else models in the user's data folder: never a
    cache, which other programs trim."""
    chosen = os.environ.get(_FOLDER_VARIABLE, "")
    if chosen.strip():
        return Path(os.path.expanduser(chosen))
    return user_data_folder() / "models"


def user_data_folder(
    system: str | None = None, environment: Mapping[str, str] | None = None
) -> Path:
    """Where this program keeps what is the user's, as the systems want it: %LOCALAPPDATA% on
    Windows, ~/Library/Application Support on a Mac, else XDG_DATA_HOME or ~/.local/share.

    system: as sys.platform; environment: variables (None: of this computer and process). Raises
    InputError for a user without a home folder.
    """
    system = sys.platform if system is None else system
    variables = os.environ if environment is None else environment
    if system == "win32":
        local = variables.get("LOCALAPPDATA", "").strip()
        parent = Path(local) if local else _home() / "AppData" / "Local"
        return parent / _NAME / _NAME
    if system == "darwin":
        return _home() / "Library" / "Application Support" / _NAME
    chosen = variables.get("XDG_DATA_HOME", "").strip()
    # The specification wants a relative path to be ignored.
    return (Path(chosen) if os.path.isabs(chosen) else _home() / ".local" / "share") / _NAME


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError as error:  # a number that no user has, as in containers
        raise InputError(
            "This user has no home folder, where models and settings would be kept; set the "
            "environment variable HOME to a folder of your own."
        ) from error


def missing_folder_note() -> str:
    """A sentence when the folder that DIFFUSIONSEG_MODELS names is not there, as that of a disk
    that was pulled out; else ""."""
    folder = user_folder()
    if not os.environ.get(_FOLDER_VARIABLE, "").strip() or os.path.isdir(folder):
        return ""
    what = "is no folder" if os.path.exists(folder) else "is not there"
    return (
        f"The folder of models {folder}, which {_FOLDER_VARIABLE} names, {what}, and its models "
        "are not listed: plug in its disk, or correct the variable; a download makes a new folder."
    )


def hub_room(source: str, models: Path | None = None) -> Path:
    """The folder of one repository, "org/name" or "org/name@revision", in the folder of models."""
    name = source.replace("/", "--").replace("@", "--at--")
    return (models or user_folder()) / HUB_ROOM / name
