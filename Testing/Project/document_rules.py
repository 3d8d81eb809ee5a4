"""How a command of the documents is run in a test, where it cannot be run exactly as it stands.

Every line of a shell block is run. A line that none of these rules names is run word for word; a
rule says what is added or exchanged, and why. test_documents.py holds that no rule is idle.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["RULES", "Rule", "rule_for"]


@dataclass(frozen=True)
class Rule:
    """pattern: searched in the line. why: the reason. add: words put at its end. answer: what the
    user types. codes: with which it may end."""

    pattern: str
    why: str
    add: str = ""
    answer: str = ""
    codes: tuple[int, ...] = (0,)

    def changed(self, line: str) -> str:
        """The line that is run."""
        return f"{line.partition('  #')[0].rstrip()} {self.add}".strip()


RULES = (
    Rule(
        r"^make (demo|test)\b",
        "test_makefile.py runs the targets with a python that writes down its arguments; here each "
        "is planned, with the real Makefile",
        add="--dry-run",
    ),
    Rule(
        r"^python -m venv", "pip is not used there, and takes seconds to come", add="--without-pip"
    ),
    Rule(
        r"^python -m pip install",
        "what it asks for is resolved against what is installed here, without a network",
        add="--dry-run --quiet --no-index --no-build-isolation",
    ),
    Rule(
        r"^diffusionseg models download",
        "a small hub on this computer stands for the Hugging Face hub; the sums of the real files, "
        "which the card knows, are not asked for",
        answer="yes",
    ),
    Rule(r"^diffusionseg demo", "one sample of eleven; Testing/Library/demo outlines more"),
    Rule(
        r"^diffusionseg doctor",
        "without the samples, which the tutorial outlines; Testing/Library/doctor runs them",
        add="--no-run",
    ),
    Rule(r"--with-wheels", "a small package stands for 400 MB of them, fetched by the real pip"),
    Rule(
        r" mr\.nii\.gz --method diffugts --text .*--output",
        "one of two slices, and one drawing of its twin instead of three",
        add="--samples 1 --region 0,0,0,84,86,0 --frame pixel",
    ),
    Rule(
        r" ct\.nii\.gz --method diffugts",
        "one drawing of the twin instead of three",
        add="--samples 1",
    ),
    Rule(
        r"^diffusionseg train cdal",
        "two steps of a training that takes hours, on six pictures",
        add="--steps 2 --set batch=1",
    ),
    Rule(
        r"zero_shot_clicks",
        "one image, without the rivals",
        add="--sets skin-lesion --methods adzus --limit 1",
    ),
    Rule(
        r"click_speed",
        "one click on one small image; on a busy computer a target in seconds may be missed",
        add="--counts 1 --clicks 1 --images 1 --size 128",
        codes=(0, 1),
    ),
    Rule(r"refine_errors", "one image of one model", add="nuclei --limit 1 --strokes 1"),
    Rule(r"presence", "one image of one model", add="skin-lesion --limit 1 --per-image 1"),
    Rule(r"^diffusionseg evaluate .*--split", "one case of the test part", add="--limit 1"),
    Rule(r"pseudo_healthy_pictures", "one of the five pictures", add="--cases words-mr"),
    Rule(
        r"tutorial_pictures|tutorial_screenshots|Harness\.screenshots",
        "test_documents.py draws the first from the files that the tutorial's commands wrote, "
        "Testing/Slicer/Harness takes the others; here the command is asked what it does",
        add="--help",
    ),
)


def rule_for(line: str) -> Rule | None:
    """The first that names the line."""
    return next((rule for rule in RULES if re.search(rule.pattern, line)), None)
