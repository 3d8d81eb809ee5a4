import shutil

import pytest

from DiffusionSegLib.environments.building import build, plan_environment
from DiffusionSegLib.environments.isolated import IsolatedEnvironment
from DiffusionSegLib.progress import Progress
from Testing.Library.environments.toy_wheels import base_python, write_wheels


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


@pytest.fixture
def ready(original, tmp_path):
    """One to be changed: a copy, since making one takes seconds."""
    folder = tmp_path / "my environment"
    shutil.copytree(original.folder, folder, symlinks=True)
    environment = IsolatedEnvironment(folder)
    assert environment.state == "ready"
    return environment


@pytest.fixture
def begun(ready):
    """One of which only the bare Python is there, as a build leaves it that was stopped early."""
    from DiffusionSegLib.environments.deleting import delete
    from DiffusionSegLib.environments.marker import Marker, write_marker

    marker = ready.marker
    for path in ready.site_packages.iterdir():
        if not path.name.startswith(("pip", "setuptools", "pkg_resources", "_distutils",
                                     "distutils-precedence")):  # fmt: skip
            delete(path)
    write_marker(ready.folder, Marker(interpreter=marker.interpreter))
    assert ready.state == "incomplete"
    return ready
