"""Deletions stay within what they are told, and half-installed packages are forgotten."""

import os
import stat

import pytest

from DiffusionSegLib.environments.deleting import delete, disk_bytes
from DiffusionSegLib.environments.discarding import discard_damaged
from DiffusionSegLib.environments.package_link import LINK, linked_package, write_link
from DiffusionSegLib.errors import Cancelled, OutputError

posix = pytest.mark.skipif(os.name != "posix", reason="links and rights of Unix")


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "tree"
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "one").write_bytes(b"x" * 100)
    (folder / "two").write_bytes(b"x" * 23)
    return folder


def test_bytes_are_those_of_all_files(tree):
    assert disk_bytes(tree) == 123
    assert disk_bytes(tree / "two") == 23
    assert disk_bytes(tree / "none") == 0


def test_everything_goes_and_is_told(tree):
    told = []
    assert delete(tree, told.append) == 123
    assert sorted(told) == [23, 100]
    assert not tree.exists()
    assert delete(tree) == 0


@posix
def test_links_go_and_what_they_point_to_stays(tree, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_bytes(b"x" * 5000)
    (tree / "to a folder").symlink_to(outside)
    (tree / "to a file").symlink_to(outside / "kept")
    (tree / "to nothing").symlink_to("/no/such")
    assert disk_bytes(tree) < 500
    delete(tree)
    assert not tree.exists() and (outside / "kept").stat().st_size == 5000
    (tmp_path / "link").symlink_to(outside)
    delete(tmp_path / "link")
    assert (outside / "kept").exists() and not (tmp_path / "link").is_symlink()


@posix
def test_folders_that_may_not_be_read_are_opened_first(tree):
    (tree / "a").chmod(stat.S_IRUSR)
    try:
        delete(tree)
    finally:
        if (tree / "a").exists():
            (tree / "a").chmod(stat.S_IRWXU)
    assert not tree.exists()


def test_a_file_that_cannot_be_deleted_is_named(tree, monkeypatch):
    """As Windows refuses it while a program uses it."""
    real = os.unlink

    def unlink(path, **options):
        if str(path).endswith("one"):
            raise PermissionError(13, "it is being used by another process", str(path))
        real(path, **options)

    monkeypatch.setattr(os, "unlink", unlink)
    with pytest.raises(OutputError, match=r"one could not be deleted.*in use"):
        delete(tree)
    assert (tree / "a" / "b" / "one").exists()


def test_it_can_be_stopped_between_files(tree):
    def stop(size):
        raise Cancelled()

    with pytest.raises(Cancelled):
        delete(tree, stop)
    assert tree.exists()


def install(site, name, *, record=True, metadata=True, size=6):
    (site / name).mkdir(parents=True)
    (site / name / "__init__.py").write_text("x = 1\n")
    info = site / f"{name}-1.0.dist-info"
    info.mkdir()
    if metadata:
        (info / "METADATA").write_text(f"Name: {name}\nVersion: 1.0\n")
    if record:
        (info / "RECORD").write_text(
            f"{name}/__init__.py,sha256=x,{size}\n{name}/__pycache__/__init__.cpython-311.pyc,,\n"
            f"../../../bin/{name},,\n{name}-1.0.dist-info/RECORD,,\n"
        )
    return info


def test_whole_packages_stay_and_parts_are_forgotten(tmp_path):
    site = tmp_path / "env" / "lib" / "python3.12" / "site-packages"
    whole = install(site, "whole")
    for name, options in {
        "norecord": {"record": False}, "nometa": {"metadata": False}, "size": {"size": 7},
    }.items():  # fmt: skip
        install(site, name, **options)
    install(site, "file")
    (site / "file" / "__init__.py").unlink()
    (site / "empty-1.0.dist-info").mkdir()
    (site / "~orch").mkdir()
    (site / "~orch" / "old.py").write_text("x")
    assert discard_damaged(site) == ["empty", "file", "nometa", "norecord", "size"]
    assert list(site.glob("*.dist-info")) == [whole]
    assert not (site / "~orch").exists()
    assert (site / "norecord" / "__init__.py").exists()  # pip writes over it
    assert discard_damaged(site) == []


def test_a_package_whose_name_begins_with_dots_does_not_lead_outside(tmp_path):
    site = tmp_path / "site"
    info = install(site, "evil")
    (tmp_path / "kept").write_text("x")
    (info / "RECORD").write_text("../kept,,5\n../../../../../../etc/passwd,,1\n")
    assert discard_damaged(site) == ["evil"]
    assert (tmp_path / "kept").exists()


@pytest.mark.parametrize("name", ["plain", "with space", "Jürgen", "日本", "quote'\"\\"])
def test_the_link_leads_to_the_package_whatever_its_folder_is_called(tmp_path, name):
    package = tmp_path / name / "DiffusionSegLib"
    write_link(tmp_path, package)
    assert linked_package(tmp_path) == package
    (tmp_path / "_diffusionseg_place.py").read_text("ascii")
    (tmp_path / LINK).unlink()
    assert linked_package(tmp_path) is None


@pytest.mark.parametrize(
    "text", ["", "FOLDER = \n", "FOLDER = 3\n", "FOLDER = open('x')\n", "\xff"]
)
def test_a_link_that_was_changed_leads_nowhere(tmp_path, text):
    write_link(tmp_path)
    (tmp_path / "_diffusionseg_place.py").write_text(text, "latin-1")
    assert linked_package(tmp_path) is None
