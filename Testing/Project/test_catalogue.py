"""The entry with which the extension is proposed to Slicer's Extensions Index."""

import json
import re
from typing import Any

import pytest

from Testing.Project.source import ROOT

ENTRY = ROOT / "Resources" / "Catalogue" / "DiffusionSeg.json"
LISTS = (ROOT / "CMakeLists.txt").read_text("utf-8")

# The schema's fields, version 1.0.1, and the types of their values.
FIELDS: dict[str, type] = {
    "$schema": str,
    "build_dependencies": list,
    "build_subdirectory": str,
    "category": str,
    "enabled": bool,
    "scm_revision": str,
    "scm_type": str,
    "scm_url": str,
    "tier": int,
}
REQUIRED = {"$schema", "category", "scm_url"}
SCHEMA = (
    "https://raw.githubusercontent.com/Slicer/Slicer/main/Schemas/"
    "slicer-extension-catalog-entry-schema-v1.0.1.json#"
)


@pytest.fixture(scope="module")
def entry() -> dict[str, Any]:
    content = json.loads(ENTRY.read_text("utf-8"))
    assert isinstance(content, dict)
    return content


def extension(field: str) -> str:
    """What the top CMakeLists.txt says."""
    found = re.search(rf'^set\(EXTENSION_{field} "(.*)"\)$', LISTS, re.MULTILINE)
    assert found
    return found[1]


def test_the_fields_are_those_of_the_schema(entry: dict[str, Any]) -> None:
    assert entry["$schema"] == SCHEMA
    assert set(entry) >= REQUIRED
    for name, value in entry.items():
        assert type(value) is FIELDS[name]


def test_it_starts_as_experimental_on_a_branch(entry: dict[str, Any]) -> None:
    assert entry["tier"] == 1
    assert entry["scm_revision"] == "main"
    assert entry["build_subdirectory"] == "."


def test_it_agrees_with_the_build(entry: dict[str, Any]) -> None:
    """The index compares these with CMakeLists.txt and refuses differences."""
    assert ENTRY.stem == re.search(r"project\((\w+)\)", LISTS)[1]  # type: ignore[index]
    assert entry["category"] == extension("CATEGORY")
    assert entry["scm_url"] == extension("HOMEPAGE")
    depends = extension("DEPENDS")
    assert entry["build_dependencies"] == ([] if depends == "NA" else depends.split())


def test_the_repository_is_named_like_the_extension_and_has_no_git_suffix(
    entry: dict[str, Any],
) -> None:
    assert entry["scm_url"].startswith("https://")
    assert entry["scm_url"].rpartition("/")[2] in (ENTRY.stem, f"Slicer{ENTRY.stem}")


def test_the_keys_are_sorted_and_the_file_ends_with_a_line() -> None:
    """As the index formats its entries."""
    text = ENTRY.read_text("utf-8")
    keys = list(json.loads(text))
    assert keys == sorted(keys)
    assert text == json.dumps(json.loads(text), indent=2) + "\n"
