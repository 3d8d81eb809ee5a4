"""The table of packages is pyproject.toml's, and tells what is missing."""

import importlib
import importlib.metadata
import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from DiffusionSegLib.environments import packages as table
from DiffusionSegLib.environments.constraints import pinned_text, slicer_constraints
from DiffusionSegLib.environments.packages import EXTRAS, missing, packages
from DiffusionSegLib.environments.torch_builds import PINNED
from DiffusionSegLib.errors import UnknownNameError
from Testing.Project.source import ROOT

PYPROJECT = (ROOT / "pyproject.toml").read_text("utf-8")


def listed(key):
    """The requirements in one list of pyproject.toml (Python 3.10 cannot read TOML itself)."""
    block = re.search(rf"^{key} = \[\n(.*?)^\]", PYPROJECT, re.MULTILINE | re.DOTALL)
    return sorted(re.findall(r'^    "([^"]+)"', block[1], re.MULTILINE))


def test_the_packages_are_those_of_the_project():
    assert sorted(one.requirement for one in packages()) == listed("dependencies")


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_packages_of_extras_are_those_of_the_project(extra):
    alone = [one for one in table._TABLE if one.extra == extra]
    assert sorted(one.requirement for one in alone) == listed(extra)


def test_every_package_says_why_and_how_large():
    for one in packages(EXTRAS):
        assert one.why.endswith(".") and one.why[0].isupper()
        assert 10_000 < one.download_bytes < 10**9


def test_a_package_of_two_extras_comes_once():
    modules = [one.module for one in packages(["text", "hub"])]
    assert len(set(modules)) == len(modules)
    assert {"transformers", "diffusers", "numpy"} <= set(modules)
    assert "diffusers" not in {one.module for one in packages(["text"])}


def test_an_unknown_extra_is_named():
    with pytest.raises(UnknownNameError, match=r"'texts'.*'text'"):
        packages(["texts"])


def test_what_is_here_is_not_missing(monkeypatch):
    assert missing() == ()
    monkeypatch.setattr(
        table, "_TABLE", (*table._TABLE, table.Package("no_such", "no-such", "", 1))
    )
    assert [one.module for one in missing()] == ["no_such"]


def test_an_empty_folder_is_no_package(monkeypatch, tmp_path):
    (tmp_path / "left_over").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    one = table.Package("left_over", "left-over", "", 1)
    monkeypatch.setattr(table, "_TABLE", (one,))
    assert missing() == (one,)
    (tmp_path / "left_over" / "__init__.py").write_text("")
    importlib.invalidate_caches()
    assert missing() == ()


def test_modules_belong_to_their_packages():
    """`import PIL` is of pillow, and so on."""
    owners = importlib.metadata.packages_distributions()
    for one in packages(EXTRAS):
        names = {canonicalize_name(name) for name in owners.get(one.module, [])}
        assert canonicalize_name(Requirement(one.requirement).name) in names, one.module


def test_constraints_pin_the_torch_that_is_built_for_the_card():
    assert f"torch=={PINNED}\n" in (ROOT / "constraints.txt").read_text("utf-8")
    text = pinned_text("2.7.1")
    assert text.count("\ntorch==") == 1 and "\ntorch==2.7.1\n" in text
    assert "\nscipy==" in text


def test_slicer_s_constraints_are_what_is_installed_here():
    lines = dict(line.split("==") for line in slicer_constraints().splitlines())
    assert lines["numpy"] == importlib.metadata.version("numpy")
    assert lines["SimpleITK"] == importlib.metadata.version("SimpleITK")
    assert {"scipy", "packaging", "requests"} <= set(lines)
    assert "torch" not in lines and "transformers" not in lines
