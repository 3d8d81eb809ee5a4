"""A folder that looks like a checkout, in which the commands of the documents are run.

The program's own code is linked, the samples are copied, and the images that the documents name
(`photo.jpg`, `mr.nii.gz`, ...) are samples under those names. Nothing leaves this computer: a small
hub stands for the Hugging Face hub, pip has a folder of packages.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import shlex
import shutil
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from Testing.Project.document_rules import Rule, rule_for
from Testing.Project.source import ROOT

__all__ = ["Answer", "Desk", "lay_out"]

SAMPLES = ROOT / "Resources" / "Samples"
MODELS = ROOT / "Resources" / "Models"
_LINKED = (
    "Makefile", "pyproject.toml", "constraints.txt", "README.md", "LICENSE.txt", "DiffusionSegLib",
    "DiffusionSeg", "Testing",
)  # fmt: skip
# What the documents call them. The CT and the MR are two slices, so that words are read quickly.
_SLICES = slice(37, 39)
_SETTINGS = (
    "DIFFUSIONSEG_MIRROR", "DIFFUSIONSEG_TOKENS", "HF_TOKEN", "HTTP_PROXY", "http_proxy",
    "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy",
)  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What was run, and what came of it."""

    line: str
    code: int
    output: str
    errors: str = ""
    codes: tuple[int, ...] = (0,)

    @property
    def succeeded(self) -> bool:
        return self.code in self.codes

    @property
    def told(self) -> str:
        """For a failing test."""
        return f"$ {self.line}\n[{self.code}]\n{self.output}\n{self.errors}"


class Typist(io.StringIO):
    """A terminal at which somebody types."""

    def isatty(self) -> bool:
        return True


class Desk:
    """folder: where everything is run. hub: address of the small hub; shelf: pip's folder."""

    def __init__(self, folder: Path, hub: str = "", shelf: Path | None = None) -> None:
        self.folder = folder
        self.environment = {
            "DIFFUSIONSEG_MODELS": str(folder / "models"),
            "HF_HUB_CACHE": str(folder / "hub-cache"),
            "PYTHONPATH": str(ROOT),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "TMPDIR": str(folder),
        }
        if hub:
            self.environment["HF_ENDPOINT"] = hub
        if shelf is not None:
            self.environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(shelf)}

    def shell(self, line: str) -> Answer:
        """Run one line of a shell block, as the rules say."""
        rule = rule_for(line)
        line = rule.changed(line) if rule else line
        words = shlex.split(line, comments=True)
        if words[0] == "diffusionseg":
            return self._inside(line, lambda: _program(words[1:]), rule)
        if words[:2] == ["python", "-m"] and words[2].startswith("Testing."):
            return self._inside(line, lambda: _module(words[2], words[3:]), rule)
        done = subprocess.run(
            ["bash", "-c", line], cwd=self.folder, env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return Answer(line, done.returncode, done.stdout, done.stderr)

    def python(self, text: str, names: Mapping[str, Any] | None = None) -> Answer:
        """Run a program; names: what its console knows already."""

        def run() -> int:
            exec(compile(text, "<document>", "exec"), {"__name__": "__main__", **(names or {})})
            return 0

        return self._inside("python", run)

    def _inside(self, line: str, run: Any, rule: Rule | None = None) -> Answer:
        """In this process, which has torch already; a crash is told as the interpreter would."""
        output, errors = io.StringIO(), io.StringIO()
        typed = Typist(f"{rule.answer}\n" * 9) if rule and rule.answer else io.StringIO()
        told = (
            contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors),
            patch("sys.stdin", typed), patch.dict(os.environ, self.environment),
        )  # fmt: skip
        with contextlib.ExitStack() as stack:
            for one in (*told, _at(self.folder), _small(line)):
                stack.enter_context(one)
            for name in _SETTINGS:
                os.environ.pop(name, None)
            try:
                code = run()
            except SystemExit as leaving:
                code = int(leaving.code or 0)
            except Exception:  # noqa: BLE001  as Python itself at the end of a program
                code = 1
                errors.write(traceback.format_exc())
        codes = rule.codes if rule else (0,)
        return Answer(line, code, output.getvalue(), errors.getvalue(), codes)


def lay_out(folder: Path) -> None:
    """Make the folder look like a checkout that has the images which the documents name."""
    from DiffusionSegLib.nouns.image import Image

    for name in _LINKED:
        (folder / name).symlink_to(ROOT / name)
    (folder / "Resources" / "Documentation").mkdir(parents=True)
    (folder / "Resources" / "Models").symlink_to(ROOT / "Resources" / "Models")
    shutil.copytree(SAMPLES, folder / "Resources" / "Samples")
    for root in (folder / "DATA", folder / "DATA" / "open"):
        shutil.copytree(SAMPLES, root, dirs_exist_ok=True)
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(folder / ".venv")], check=True
    )
    shutil.copy(SAMPLES / "isic2017_98" / "images" / "ISIC_0012956.jpg", folder / "photo.jpg")
    hippocampus = SAMPLES / "msd_hippocampus" / "images" / "hippocampus_033.nii.gz"
    shutil.copy(hippocampus, folder / "image.nii.gz")
    for kind in ("ct", "mr"):
        volume = Image.read(SAMPLES / "sts_ct_mr" / "images" / f"STS_021_{kind}.nii.gz")
        cut = volume.crop((_SLICES, slice(None), slice(None)))
        replace(cut, dimension=3).write(folder / f"{kind}.nii.gz")
    _lay_out_training(folder)


def _lay_out_training(folder: Path) -> None:
    """Whole test parts, whose cases are all the same, and six pictures of a user's own."""
    for model, name in {"hippocampus": "msd_hippocampus", "skin-lesion": "isic2017_98"}.items():
        card = json.loads((MODELS / "cdal" / model / "model.json").read_text("utf-8"))
        for room in ("images", "labels"):
            first = min((folder / "DATA" / name / room).iterdir())
            for case in card["splits"]["test"]:
                other = first.with_name(case + first.name[first.name.index(".") :])
                if not other.exists():
                    other.symlink_to(first)
    for room, kind in (("my-images", "images"), ("my-outlines", "labels")):
        (folder / room).mkdir()
        for number in range(6):
            picture = SAMPLES / "dsb2018_nuclei" / kind / "fluorescence_013.png"
            shutil.copy(picture, folder / room / f"mine_{number}.png")


def _program(words: list[str]) -> int:
    from DiffusionSegLib.cli.main import main

    return main(words)


def _module(name: str, words: list[str]) -> int:
    with patch.object(sys, "argv", [name, *words]):
        return int(importlib.import_module(name).main() or 0)


@contextlib.contextmanager
def _at(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@contextlib.contextmanager
def _small(line: str) -> Iterator[None]:
    """The lines that no option makes small: see their rules."""
    if line.startswith("diffusionseg demo"):
        from DiffusionSegLib.demo import samples, shown

        known = samples.load_samples(samples.samples_folder())
        first = [one for one in known if one.id == "fluorescence_014"]
        with patch.object(shown, "shown_samples", lambda folder: (first, "")):
            yield
    elif "--with-wheels" in line:
        from DiffusionSegLib.backbones.fetching import bundle_export, wheels

        def bring(room: Path, what: str, progress: Any) -> list[Path]:
            with patch.object(wheels, "constraints_text", lambda: "toy==1.0\n"):
                return wheels.bring_wheels(room, "toy", progress)

        with patch.object(bundle_export, "bring_wheels", bring):
            yield
    elif line.startswith("diffusionseg models"):  # see the rule of download
        from DiffusionSegLib.backbones import manifest

        with patch.object(manifest, "read_pins", lambda values: {}):
            yield
    else:
        yield
