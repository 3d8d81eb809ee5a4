import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from DiffusionSegLib.errors import OutputError
from DiffusionSegLib.io.atomic import atomic_file
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask

NAMES = ["x.nii", "x.nii.gz", "x.nrrd", "x.mha"]


def test_the_file_appears_only_when_complete(tmp_path: Path) -> None:
    target = tmp_path / "x.bin"
    with atomic_file(target) as stream:
        stream.write(b"new")
        stream.flush()
        assert not target.exists()
    assert target.read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["x.bin"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, MemoryError])
def test_a_failure_keeps_the_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "x.bin"
    target.write_bytes(b"old")
    with pytest.raises(error), atomic_file(target) as stream:
        stream.write(b"new")
        raise error
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["x.bin"]


def test_links_and_permissions_are_kept(tmp_path: Path) -> None:
    target, link = tmp_path / "x.bin", tmp_path / "link.bin"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to(target)
    with atomic_file(link) as stream:
        stream.write(b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_new_file_has_the_users_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    with atomic_file(tmp_path / "x.bin") as stream:
        stream.write(b"new")
    assert (tmp_path / "x.bin").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_impossible_places_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for place, words in [
        (tmp_path / "none" / "x.nii", "folder does not exist"),
        (tmp_path, "is a folder"),
        (tmp_path / "file" / "x.nii", "could not be written"),
        (tmp_path / ("x" * 300), "could not be written"),
    ]:
        with pytest.raises(OutputError, match=words), atomic_file(place):
            pass


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 64 KiB; skipped where mounting is not allowed."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if (
        not shutil.which("mount")
        or subprocess.run(mount, capture_output=True, check=False).returncode
    ):
        pytest.skip("mounting a small file system needs rights that this user lacks")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def noise() -> Image:
    values = np.random.default_rng(0).integers(-9999, 9999, (1, 40, 50, 60))
    return Image(values.astype(np.int16), Geometry((40, 50, 60)))


@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk_keeps_the_old_file(tiny_disk: Path, name: str) -> None:
    target = tiny_disk / name
    target.write_bytes(b"old")
    with pytest.raises(OutputError, match=r"disk is full\. Free some space"):
        noise().write(target)
    assert target.read_bytes() == b"old"
    assert [path.name for path in tiny_disk.iterdir()] == [name]


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file may grow beyond 64 KiB; the system then fails writes as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("name", NAMES)
def test_a_write_that_fails_halfway_leaves_nothing(
    tmp_path: Path, small_files: None, name: str
) -> None:
    with pytest.raises(OutputError, match="disk is full"):
        noise().write(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_mask_and_a_picture_on_a_full_disk(tmp_path: Path, small_files: None) -> None:
    values = np.random.default_rng(0).integers(0, 255, (1, 400, 400)).astype(np.uint8)
    for name in ("x.png", "x.tif", "x.bmp", "x.seg.nrrd"):
        with pytest.raises(OutputError, match="disk is full"):
            Mask(values, Geometry((1, 400, 400))).write(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


NO_RIGHTS = """
import os, sys
import numpy as np
import DiffusionSegLib.io.reading, DiffusionSegLib.io.writing
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.image import Image
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
for act in (lambda: Mask.from_array(np.eye(3, dtype=np.uint8)).write(sys.argv[1] + "/x.nrrd"),
            lambda: Mask.from_array(np.eye(3, dtype=np.uint8)).write(sys.argv[2]),
            lambda: Image.read(sys.argv[3])):
    try:
        act()
    except DiffusionSegError as error:
        print(type(error).__name__, error)
"""


def test_missing_rights_are_one_sentence(tmp_path: Path) -> None:
    """As an ordinary user even when the tests run as root, who may do anything."""
    folder, shared = tmp_path / "closed", tmp_path / "open"
    kept, secret = shared / "kept.nrrd", shared / "secret.nii"
    folder.mkdir(mode=0o555)
    shared.mkdir()
    shared.chmod(0o777)
    for file, mode in ((kept, 0o444), (secret, 0o000)):
        file.write_bytes(b"old")
        file.chmod(mode)
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == os.getuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    run = subprocess.run(
        [sys.executable, "-c", NO_RIGHTS, str(folder), str(kept), str(secret)],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    lines = run.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["OutputError", "OutputError", "InputError"], run
    assert all("no permission" in line for line in lines)
    assert kept.read_bytes() == b"old"
