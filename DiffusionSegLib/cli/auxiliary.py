"""The images that explain a result, such as a pseudo-healthy twin, as files in a folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from DiffusionSegLib.cli import outputs

if TYPE_CHECKING:
    from DiffusionSegLib.nouns.image import Image

# Holds any type of voxel and any number of channels.
_SUFFIX = ".nrrd"


def auxiliary_paths(folder: Path, output: Path, names: Iterable[str]) -> dict[str, Path]:
    """By name FOLDER/OUTPUT-name.nrrd; no two are the same, on no kind of disk."""
    head, _ = outputs.split_suffix(output)
    paths: dict[str, Path] = {}
    taken: set[str] = set()
    for name in names:
        safe = first = _safe(name)
        number = 2
        while safe.casefold() in taken:
            safe, number = f"{first}-{number}", number + 1
        taken.add(safe.casefold())
        paths[name] = folder / f"{head}-{safe}{_SUFFIX}"
    return paths


def write_auxiliary(images: Mapping[str, Image], paths: Mapping[str, Path]) -> dict[str, str]:
    """Where each of them was written, by name; each on its own grid, in its own units."""
    for name, image in images.items():
        image.write(paths[name])
    return {name: str(path) for name, path in paths.items()}


def auxiliary_lines(written: Mapping[str, str]) -> list[str]:
    """One line each for the terminal."""
    if not written:
        return ["The method gives no auxiliary image for this prompt."]
    return [f"{name}: {path}" for name, path in written.items()]


def _safe(name: str) -> str:
    """Letters and digits of any script, and single hyphens between them."""
    return "-".join(re.findall(r"[^\W_]+", name)) or "image"
