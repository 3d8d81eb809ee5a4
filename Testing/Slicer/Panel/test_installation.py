"""Packages that Slicer's Python lacks. What installs them is Slicer's; here it is recorded only."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import re
import sys
from types import ModuleType
from typing import Any

import pytest

from Testing.Slicer.Panel.conftest import ROOT

# Comes with every Slicer that the module runs in.
SHIPPED = {"numpy", "SimpleITK", "pillow"}


@pytest.fixture
def installed(scene: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would have been installed, in a Slicer that lacks torch and rich."""
    found: list[str] = []

    class PyTorchUtilsLogic:
        def installTorch(self, **options: Any) -> None:
            found.append(f"torch{options['torchVersionRequirement']}")

    def pip_ensure(requirements: list[Any], requester: str) -> None:
        found.extend(f"{requirement} for {requester}" for requirement in requirements)

    real = importlib.util.find_spec
    lacking = {"torch", "rich"}

    def find_spec(name: str, *rest: Any) -> Any:
        return None if name in lacking else real(name, *rest)

    for name, values in (
        ("slicer.packaging", {"pip_ensure": pip_ensure}),
        ("PyTorchUtils", {"PyTorchUtilsLogic": PyTorchUtilsLogic}),
    ):
        module = ModuleType(name)
        module.__spec__ = importlib.machinery.ModuleSpec(name, None)
        vars(module).update(values)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    return found


def test_what_is_needed_is_what_the_engine_asks_for(scene: Any) -> None:
    from DiffusionSegPanel.installation import NEEDED

    text = (ROOT / "pyproject.toml").read_text("utf-8")
    listed = re.search(r"\ndependencies = \[(.*?)\n\]", text, re.DOTALL)
    assert listed is not None
    wanted = set(re.findall(r'"([^"]+)",', listed.group(1)))
    brought = {one for one in wanted if re.match(r"[\w-]+", one).group(0) in SHIPPED}
    assert set(NEEDED.values()) == wanted - brought


def test_nothing_is_offered_where_nothing_is_missing(opened: Any) -> None:
    from DiffusionSegPanel.installation import canInstall

    assert not canInstall("")
    opened.page.notice.tell("Something else is wrong.")
    assert not opened.ui.noticeInstallButton.isVisibleTo(opened.module.frame)


def test_torch_comes_from_the_extension_and_the_rest_from_slicer(
    installed: list[str], opened: Any
) -> None:
    opened.page.notice.tell("torch is missing.")
    button = opened.ui.noticeInstallButton
    assert button.isVisibleTo(opened.module.frame)
    assert button.toolTip
    button.click()
    assert installed == ["torch>=2.4,<3", "rich>=13.7 for DiffusionSeg"]
    assert opened.page.notice.text == ""
    opened.until(lambda: opened.page.link.catalogue is not None)


def test_another_python_is_left_alone(installed: list[str]) -> None:
    from DiffusionSegPanel.installation import canInstall

    assert canInstall(" ")
    assert not canInstall("/opt/other/bin/python")


def test_without_the_extension_it_is_named(
    installed: list[str], opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "PyTorchUtils")
    opened.page.notice.tell("torch is missing.")
    opened.ui.noticeInstallButton.click()
    assert opened.page.notice.text.startswith("The extension PyTorch is not installed")
    assert installed == []


def test_an_older_slicer_has_no_button(
    installed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from DiffusionSegPanel.installation import canInstall

    monkeypatch.delitem(sys.modules, "slicer.packaging")
    assert not canInstall("")
