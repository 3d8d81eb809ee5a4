"""Packages for a bundle: fetched by the real pip, from a folder instead of a network."""

import hashlib
import threading
import time
import zipfile

import pytest

from DiffusionSegLib.backbones.fetching import wheels
from DiffusionSegLib.backbones.fetching.bundle_export import export_bundle
from DiffusionSegLib.backbones.fetching.bundle_import import import_bundle, open_bundle
from DiffusionSegLib.backbones.fetching.licences import accept_licence
from DiffusionSegLib.errors import Cancelled, ModelError
from DiffusionSegLib.progress import Progress
from Testing.Library.backbones.fetching.toy_cards import card_of, write


def write_wheel(folder, name, version, needs=()):
    """The smallest wheel that pip takes."""
    info = f"{name}-{version}.dist-info"
    lines = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {one}" for one in needs)]
    members = {
        f"{name}.py": f"version = {version!r}\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\n" + "\n".join(lines) + "\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in members) + f"{info}/RECORD,,\n"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in {**members, f"{info}/RECORD": record}.items():
            archive.writestr(member, text)
    return path


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """pip sees only this folder; the pins are of its packages."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    for version in ("1.0", "2.0"):
        write_wheel(folder, "toy", version, ["helper>=1"])
    write_wheel(folder, "helper", "1.5")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setattr(wheels, "constraints_text", lambda: "toy==1.0\n")
    return folder


def test_the_pinned_version_and_all_it_needs_come(shelf, tmp_path):
    (tmp_path / "room").mkdir()
    found = wheels.bring_wheels(tmp_path / "room", "toy", Progress.silent())
    assert [path.name for path in found] == [
        "helper-1.5-py3-none-any.whl", "toy-1.0-py3-none-any.whl",
    ]  # fmt: skip


def test_what_pip_says_is_told(shelf, tmp_path):
    with pytest.raises(ModelError, match=r"No matching distribution found for nothing.*PIP_INDEX"):
        wheels.bring_wheels(tmp_path, "nothing", Progress.silent())


def test_it_can_be_cancelled(shelf, tmp_path):
    asked = threading.Event()
    threading.Timer(0.3, asked.set).start()
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        for _ in range(100):
            wheels.bring_wheels(tmp_path, "toy", Progress(cancelled=asked.is_set))
    assert time.monotonic() - begun < 20


def test_they_travel_in_the_bundle(shelf, tmp_path, own_folder, monkeypatch):
    from DiffusionSegLib.backbones.fetching import bundle_export

    monkeypatch.setattr(
        bundle_export, "bring_wheels",
        lambda room, what, progress: wheels.bring_wheels(room, "toy", progress),
    )  # fmt: skip
    entry = write(own_folder, card_of())
    index = export_bundle([entry], tmp_path / "b.zip", Progress.silent(), wheels=True)
    assert len(index.within("wheels")) == 2
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        words = archive.read("INSTALL.txt").decode()
        assert {"constraints.txt", "bundle.json"} <= set(archive.namelist())
    assert '--find-links bundle/wheels -c bundle/constraints.txt "DiffusionSeg[text]"' in words
    accept_licence(entry)
    done = import_bundle(open_bundle(tmp_path / "b.zip"), Progress.silent())
    assert done.wheels == own_folder / "wheels"
    for member in index.within("wheels"):
        data = (own_folder / member.name).read_bytes()
        assert hashlib.sha256(data).hexdigest() == member.sha256


def test_the_pins_of_a_checkout_are_taken_else_what_is_installed(monkeypatch):
    assert "torch==" in wheels.constraints_text()
    monkeypatch.setattr(wheels, "constraints_file", lambda: None)
    pins = dict(line.split("==") for line in wheels.constraints_text().splitlines())
    assert "numpy" in pins and "+" not in pins["torch"]
    assert "diffusionseg" not in {name.lower() for name in pins}
