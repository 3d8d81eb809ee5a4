"""How an environment finds this package, which stays where it is.

A .pth file that names the folder would do, were it not that Pythons before 3.13 read it in the
system's encoding (a user's name may have any letter), and that everything else in that folder, for
instance another Python's packages, would be found as well. So the .pth file imports a small module
that finds this package only, and whose text is pure ASCII.
"""

from __future__ import annotations

import os
from pathlib import Path

import DiffusionSegLib
from DiffusionSegLib.io.atomic import atomic_file

__all__ = ["LINK", "linked_package", "package_folder", "write_link"]

LINK = "diffusionseg_place.pth"
_MODULE = "_diffusionseg_place"
_CODE = '''\
"""Written by DiffusionSeg: where its package lies."""

import os
import sys
from importlib.util import spec_from_file_location

FOLDER = {folder}


class Place:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "DiffusionSegLib":
            return None
        file = os.path.join(FOLDER, "__init__.py")
        return spec_from_file_location(name, file, submodule_search_locations=[FOLDER])


sys.meta_path.insert(0, Place)
'''


def package_folder() -> Path:
    """The folder DiffusionSegLib that runs here."""
    return Path(DiffusionSegLib.__file__).resolve().parent


def write_link(site: Path, package: Path | None = None) -> None:
    """Let the Python with this site-packages find the package. Raises OutputError."""
    text = _CODE.format(folder=ascii(os.fspath(package or package_folder())))
    for name, content in ((f"{_MODULE}.py", text), (LINK, f"import {_MODULE}\n")):
        with atomic_file(site / name) as stream:
            stream.write(content.encode("ascii"))


def linked_package(site: Path) -> Path | None:
    """Where that Python finds it; None when it would not."""
    if not (site / LINK).is_file():
        return None
    file = site / f"{_MODULE}.py"
    try:
        text = file.read_text("ascii")
    except (OSError, ValueError):
        return None
    head, _, rest = text.partition("FOLDER = ")
    if not head:
        return None
    return _literal(rest.partition("\n")[0])


def _literal(text: str) -> Path | None:
    import ast

    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None
    return Path(value) if isinstance(value, str) else None
