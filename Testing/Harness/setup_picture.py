"""A picture of the page for setting up, as a Slicer shows it that has just been installed.

    python -m Testing.Harness.setup_picture -o Resources/Screenshots

writes setup.png. The sentences are those of this computer; the paths in them are a user's.
"""

from __future__ import annotations

import argparse
import importlib.machinery
import importlib.metadata
import importlib.util
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

from Testing.Harness.screenshots import PANEL_WIDTH, ROOT, wait_for

LACKING = ("torch", "safetensors", "rich")
SLICERS_PYTHON = "/opt/Slicer-5.12/bin/PythonSlicer"
SHOWN_PYTHON, SHOWN_FOLDER = "/usr/bin/python3.12", "/home/user/.local/share/DiffusionSeg"


def take(folder: Path) -> Path:
    """Write the picture. Raises TimeoutError when the page is not ready after ten minutes."""
    from Testing.Harness.boot import boot, openModule

    with tempfile.TemporaryDirectory() as data:
        os.environ["DIFFUSIONSEG_ENVIRONMENT"] = str(Path(data) / "environment")
        boot()
        with _lacking():
            module = openModule(ROOT / "DiffusionSeg" / "DiffusionSeg.py")
            try:
                return _grabbed(module, folder, data)
            finally:
                module.close()


def _grabbed(module: Any, folder: Path, data: str) -> Path:
    import slicer

    page = module.widget.page
    section, plan = page.setup.section, page.setup.plan
    wait_for(lambda: page.link.catalogue is not None and not page.setup.wantsPoll)
    plan._words = tuple(_as_users(words, data) for words in plan._words)
    page.setup.refresh()
    intro = section.ui.setupIntroLabel
    intro.text = intro.text.replace(_own_python(), SLICERS_PYTHON)
    module.frame.show()
    for _ in range(20):  # the layout needs some rounds to find its height
        slicer.app.processEvents()
        frame = module.frame
        frame.resize(PANEL_WIDTH, max(frame.sizeHint.height(), frame.heightForWidth(PANEL_WIDTH)))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "setup.png"
    module.widget.ui.setupPlaceholder.grab().save(str(path))
    return path


def _as_users(words: str, data: str) -> str:
    words = words.replace(data, SHOWN_FOLDER)
    return re.sub(r"(from Python [\d.]+, )\S+\.$", rf"\g<1>{SHOWN_PYTHON}.", words)


def _own_python() -> str:
    from DiffusionSegLib.worker.command import default_command

    return default_command()[0]


@contextmanager
def _lacking() -> Iterator[None]:
    """As if this Python had not yet what is to be installed."""
    find, version = importlib.util.find_spec, importlib.metadata.version

    def find_spec(name: str, *rest: Any) -> Any:
        return None if name in LACKING else find(name, *rest)

    def version_of(name: str) -> str:
        if name in LACKING:
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)

    packaging = ModuleType("slicer.packaging")  # every Slicer from 5.12 on has it
    packaging.__spec__ = importlib.machinery.ModuleSpec(packaging.__name__, None)
    with (
        patch.dict(sys.modules, {packaging.__name__: packaging}),
        patch.object(importlib.util, "find_spec", find_spec),
        patch.object(importlib.metadata, "version", version_of),
    ):
        yield


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for the picture")
    print(take(parser.parse_args().output))


if __name__ == "__main__":
    main()
