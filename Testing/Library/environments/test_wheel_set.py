"""Wheels are chosen by name for this system; a bundle is unpacked, checked and gone on with."""

import hashlib
import sys
import zipfile

import pytest

from DiffusionSegLib.backbones.fetching.bundle_index import BundleIndex, Member, write_index
from DiffusionSegLib.environments.building import build, plan_environment
from DiffusionSegLib.environments.packages import packages
from DiffusionSegLib.environments.wheel_set import read_wheels, unpacked
from DiffusionSegLib.errors import Cancelled, InputError, ModelError
from DiffusionSegLib.progress import Progress
from Testing.Library.environments.toy_wheels import base_python, write_wheel, write_wheels

HERE = (sys.version_info[0], sys.version_info[1])
OTHER = (HERE[0], HERE[1] + 1)


@pytest.fixture
def bundle(wheels, tmp_path):
    """A bundle as 'models export --with-wheels' writes it."""
    return write_bundle(wheels, tmp_path / "bundle.zip")


def write_bundle(wheels, path):
    members = []
    with zipfile.ZipFile(path, "w") as archive:
        for wheel in sorted(wheels.iterdir()):
            content = wheel.read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            members.append(Member(f"wheels/{wheel.name}", len(content), digest))
            archive.writestr(zipfile.ZipInfo(members[-1].name), content)
        write_index(archive, BundleIndex((), (), tuple(members)))
    return path


def test_a_folder_and_a_bundle_tell_the_same(wheels, bundle):
    one, other = read_wheels(wheels), read_wheels(bundle)
    assert one.wheels == other.wheels and len(one.wheels) == len(packages())
    assert one.torch_build() == "cpu"
    assert one.size == sum(path.stat().st_size for path in wheels.iterdir())


def test_an_environment_is_built_from_a_bundle(begun, bundle):
    plan = plan_environment(begun, wheels=bundle, interpreter=base_python())
    build(begun, plan, Progress.silent())
    assert begun.state == "ready" and begun.marker.source == str(bundle)
    assert not (begun.folder / "wheels").exists()


def test_a_bundle_that_is_damaged_is_refused_in_the_file_it_names(bundle, tmp_path):
    content = bytearray(bundle.read_bytes())
    place = content.index(b"get_num_threads")
    content[place] ^= 1
    bundle.write_bytes(content)
    with pytest.raises(InputError, match=r"damaged in wheels/torch"):
        unpacked(bundle, tmp_path / "room", Progress.silent())


def test_unpacking_goes_on_where_it_was_stopped(bundle, wheels, tmp_path):
    room = tmp_path / "room"
    steps = []

    def soon():
        steps.append(1)
        return len(steps) > 8

    with pytest.raises(Cancelled):
        unpacked(bundle, room, Progress(cancelled=soon))
    done = {path.name: path.stat().st_mtime_ns for path in room.iterdir()}
    assert done and len(done) < len(packages())
    assert unpacked(bundle, room, Progress.silent()) == room
    assert {path.name: path.read_bytes() for path in room.iterdir()} == {
        path.name: path.read_bytes() for path in wheels.iterdir()
    }
    kept = [name for name, time in done.items() if (room / name).stat().st_mtime_ns == time]
    assert len(kept) >= len(done) - 1  # the last one may have been cut off


def test_a_folder_is_used_as_it_is(wheels, tmp_path):
    assert unpacked(wheels, tmp_path / "room", Progress.silent()) == wheels
    assert not (tmp_path / "room").exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off"])
def test_what_is_no_bundle_is_a_sentence(tmp_path, content):
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read"):
        read_wheels(path)


def test_a_zip_that_is_no_bundle_and_folders_without_wheels(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("readme.txt", "x")
    with pytest.raises(ModelError, match="no bundle"):
        read_wheels(tmp_path / "x.zip")
    with pytest.raises(InputError, match="no wheels in"):
        read_wheels(tmp_path)
    with pytest.raises(InputError, match="no folder or bundle"):
        read_wheels(tmp_path / "gone")


def test_a_bundle_without_wheels_is_a_sentence(tmp_path):
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="no wheels in"):
        read_wheels(write_bundle(tmp_path / "none", tmp_path / "x.zip"))


def test_the_version_of_python_is_the_one_that_the_wheels_are_for(tmp_path):
    folder = write_wheels(tmp_path, without=("torch",))
    tag = f"cp{OTHER[0]}{OTHER[1]}-cp{OTHER[0]}{OTHER[1]}"
    system = "win_amd64" if sys.platform == "win32" else "manylinux_2_17_x86_64"
    write_wheel(folder, "torch", "2.13.0+cu126", tag=f"{tag}-{system}")
    found = read_wheels(folder)
    assert found.torch_build() == "cu126"
    if sys.platform == "linux":
        assert found.fitting(packages(), [HERE, OTHER]) == [OTHER]
    with pytest.raises(InputError, match=rf"for Python {HERE[0]}\.{HERE[1]} they lack torch>=2\.4"):
        found.fitting(packages(), [HERE])


@pytest.mark.parametrize("system", ["win_amd64", "macosx_11_0_arm64", "musllinux_1_2_s390x"])
def test_wheels_of_another_system_do_not_fit(tmp_path, system):
    folder = write_wheels(tmp_path, without=("scipy",))
    write_wheel(folder, "scipy", "1.17.1", tag=f"cp311-abi3-{system}")
    if system == {"win32": "win_amd64", "darwin": "macosx_11_0_arm64"}.get(sys.platform):
        pytest.skip("this is that system")
    with pytest.raises(InputError, match=r"do not fit this computer.*lack scipy>=1\.11"):
        read_wheels(folder).fitting(packages(), [HERE, (3, 12)])


def test_wheels_without_an_extra_s_packages_are_refused(wheels, tmp_path, begun):
    with pytest.raises(InputError, match="lack transformers"):
        plan_environment(begun, ("text",), wheels, interpreter=base_python())


def test_no_python_for_the_wheels_is_a_sentence(wheels, tmp_path, begun, monkeypatch):
    from DiffusionSegLib.environments import interpreters
    from DiffusionSegLib.environments.marker import Marker, write_marker

    write_marker(begun.folder, Marker())
    monkeypatch.setattr(interpreters, "candidates", list)
    with pytest.raises(InputError, match="No Python of this computer fits the wheels"):
        plan_environment(begun, wheels=wheels)
