import os
import shutil

import pytest

from DiffusionSegLib.environments.building import build, plan_environment
from DiffusionSegLib.environments.deleting import delete
from DiffusionSegLib.environments.isolated import IsolatedEnvironment
from DiffusionSegLib.environments.marker import Marker, write_marker
from DiffusionSegLib.progress import Progress
from Testing.Library.environments.toy_wheels import base_python, write_wheels

_PIP = ("pip", "setuptools", "pkg_resources", "_distutils", "distutils-precedence")


@pytest.fixture(autouse=True)
def own_places(tmp_path, monkeypatch):
    """Nothing of this computer's user is looked at or touched."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "data"))
    for name in ("DIFFUSIONSEG_ENVIRONMENT", "DIFFUSIONSEG_MODELS", "DIFFUSIONSEG_TORCH_INDEX"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def wheels(tmp_path_factory):
    """A folder of wheels with which an environment becomes ready."""
    return write_wheels(tmp_path_factory.mktemp("wheels"))


@pytest.fixture(scope="session")
def original(tmp_path_factory, wheels):
    """An environment that is ready; not to be changed."""
    environment = IsolatedEnvironment(tmp_path_factory.mktemp("original") / "an environment")
    plan = plan_environment(environment, wheels=wheels, interpreter=base_python())
    build(environment, plan, Progress.silent())
    return environment


@pytest.fixture(scope="session")
def bare(tmp_path_factory, original):
    """Of it the bare Python with pip; not to be changed."""
    environment = _twin(original, tmp_path_factory.mktemp("bare") / "an environment")
    for path in environment.site_packages.iterdir():
        if not path.name.startswith(_PIP):
            delete(path)
    write_marker(environment.folder, Marker(interpreter=original.marker.interpreter))
    return environment


@pytest.fixture
def ready(original, tmp_path):
    """One to be changed (files by replacing them): making one takes seconds."""
    environment = _twin(original, tmp_path / "my environment")
    assert environment.state == "ready"
    return environment


@pytest.fixture
def begun(bare, tmp_path):
    """One as a build leaves it that was stopped early."""
    environment = _twin(bare, tmp_path / "my environment")
    assert environment.state == "incomplete"
    return environment


def _twin(environment, folder):
    shutil.copytree(environment.folder, folder, symlinks=True, copy_function=_linked)
    return IsolatedEnvironment(folder)


def _linked(source, target):
    """The same file under a second name, which is quick."""
    if os.path.islink(source):
        os.symlink(os.readlink(source), target)
    else:
        os.link(source, target)
