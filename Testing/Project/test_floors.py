"""Imports go down only, and what must be light does not load torch."""

import subprocess
import sys
from pathlib import Path

import pytest

from Testing.Project.source import PACKAGE, ROOT, imports, module_name, python_files

# The floor of each room. Equal floors may use each other; nobody uses a higher one.
FLOORS = {
    "errors": 0,
    "progress": 0,
    "nouns": 1,
    "io": 1,
    "compute": 2,
    "diffusion": 3,
    "backbones": 4,
    "methods": 5,
    "planning": 6,
    "session": 6,
    "training": 7,
    "evaluation": 7,
    "demo": 8,
    "doctor": 8,
    "environments": 8,
    "worker": 8,
    "cli": 9,
}
FOREIGN = {"slicer", "qt", "ctk", "vtk", "vtkmodules", "PythonQt"}

LIGHT_ROOMS = {"errors", "progress", "nouns", "io", "compute", "session", "evaluation", "demo"}
LIGHT_ROOMS |= {"planning", "worker", "environments", "doctor"}
LIGHT_MODULES = {
    "DiffusionSegLib.backbones.manifest",
    "DiffusionSegLib.backbones.store",
    "DiffusionSegLib.methods.contract",
    "DiffusionSegLib.methods.registry",
}


def room(module: str) -> str:
    return [*module.split("."), ""][1]


def climbing_imports(text: str, module: str, is_package: bool = False) -> list[str]:
    """The imports of a module that go up to a higher floor."""
    floor = FLOORS[room(module)]
    return [
        f"{module}:{used.line} uses {used.module}"
        for used in imports(text, module, is_package)
        if used.module.startswith("DiffusionSegLib.") and FLOORS.get(room(used.module), -1) > floor
    ]


def is_light(module: str) -> bool:
    """True for a module whose import must not load torch."""
    parts = module.split(".")
    description = parts[1:2] == ["methods"] and parts[3:] in ([], ["description"])
    return (
        len(parts) == 1
        or room(module) in LIGHT_ROOMS | {"cli"}
        or module in LIGHT_MODULES
        or description
    )


def package_modules() -> list[Path]:
    return [path for path in python_files("DiffusionSegLib") if path.parent != PACKAGE] + [
        path for path in PACKAGE.glob("*.py") if path.stem != "__init__"
    ]


def test_a_climbing_import_is_seen() -> None:
    assert climbing_imports("from ..session import Session", "DiffusionSegLib.nouns.image")
    assert climbing_imports("def f():\n import DiffusionSegLib.cli.main", "DiffusionSegLib.session")
    assert not climbing_imports("from ..nouns import image", "DiffusionSegLib.cli.main")
    assert not climbing_imports("from .label import Label", "DiffusionSegLib.nouns.mask")


def test_every_room_has_a_floor() -> None:
    rooms = {room(module_name(path)) for path in package_modules()}
    assert rooms <= set(FLOORS), f"give these a floor: {sorted(rooms - set(FLOORS))}"


def test_imports_go_down_only() -> None:
    climbing = [
        line
        for path in package_modules()
        for line in climbing_imports(
            path.read_text("utf-8"), module_name(path), path.stem == "__init__"
        )
    ]
    assert climbing == []


def test_the_engine_does_not_know_slicer() -> None:
    found = [
        f"{module_name(path)}:{used.line} imports {used.module}"
        for path in python_files("DiffusionSegLib")
        for used in imports(path.read_text("utf-8"), module_name(path), path.stem == "__init__")
        if used.module.split(".")[0] in FOREIGN
    ]
    assert found == []


def test_only_a_methods_own_rooms_name_it() -> None:
    """The registry finds methods by looking; nothing else may depend on one of them."""
    named = []
    for path in package_modules():
        module = module_name(path)
        own = [*module.split("."), "", ""][2] if room(module) in ("methods", "training") else ""
        for used in imports(path.read_text("utf-8"), module, path.stem == "__init__"):
            parts = used.module.split(".")
            is_package = len(parts) > 2 and (PACKAGE / "methods" / parts[2]).is_dir()
            if parts[:2] == ["DiffusionSegLib", "methods"] and is_package and parts[2] != own:
                named.append(f"{module}:{used.line} names {used.module}")
    assert named == []


def test_light_modules_do_not_mention_torch_at_module_scope() -> None:
    found = [
        f"{module_name(path)}:{used.line}"
        for path in python_files("DiffusionSegLib")
        for used in imports(path.read_text("utf-8"), module_name(path), path.stem == "__init__")
        if used.at_module_scope
        and used.module.split(".")[0] == "torch"
        and is_light(module_name(path))
    ]
    assert found == []


@pytest.mark.parametrize("name", sorted(FLOORS))
def test_importing_the_light_modules_does_not_load_torch(name: str) -> None:
    """Proved in a fresh interpreter, so that an import through another module counts too."""
    modules = [module_name(path) for path in python_files("DiffusionSegLib")]
    modules = [module for module in modules if room(module) == name and is_light(module)]
    code = "\n".join(
        [
            "import sys",
            *(
                f"import {module}\nassert 'torch' not in sys.modules, {module!r} + ' loads torch'"
                for module in modules
            ),
        ]
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
