"""Buttons and boxes that the documents name are called so in the panel."""

from __future__ import annotations

import ast
import xml.etree.ElementTree as ElementTree

import pytest

from Testing.Project.documents import documents
from Testing.Project.source import ROOT, python_files

NAMES = (
    "Accept",
    "An environment of its own (recommended)",
    "Box",
    "Copy system report",
    "Diffusion refine",
    "Exclude",
    "From part to whole",
    "Full check",
    "Good enough, stop here",
    "Include",
    "Install",
    "Look in",
    "Overlay",
    "Prompts in words",
    "Refine",
    "Remove environment",
    "Remove everything",
    "Repair",
    "Replace torch",
    "Scribble",
    "Segment",
    "Set up",
    "Set up...",
    "Settings",
    "Side by side",
    "Slice",
    "Slicer's own Python",
    "Stop",
    "Test",
    "Text",
    "Use the selected segment",
    "Without a network: from a folder or bundle of wheels",
    "Worker",
)
TEXTS = " ".join(" ".join(path.read_text("utf-8").split()) for path in documents())


@pytest.fixture(scope="module")
def shown() -> set[str]:
    """Every text of the forms, and of the panel's, the effect's and the methods' source."""
    texts: set[str] = set()
    for form in (ROOT / "DiffusionSeg" / "Resources" / "UI").glob("*.ui"):
        texts |= {one.text for one in ElementTree.parse(form).iter("string") if one.text}
    for path in python_files("DiffusionSeg", "DiffusionSegLib/methods"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.add(node.value)
    return texts


@pytest.mark.parametrize("name", NAMES)
def test_it_is_there_and_is_told_of(name: str, shown: set[str]) -> None:
    assert name in shown, "the panel has no such text; correct the documents and this list"
    assert name in TEXTS, "no document tells of it any more; take it off this list"
