"""The other outlines that a method offers, as files beside the one that was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from DiffusionSegLib.cli import outputs

if TYPE_CHECKING:
    from DiffusionSegLib.nouns.candidate import Candidate


def candidate_paths(output: Path, count: int) -> list[Path]:
    """NAME_candidate1.seg.nrrd, ... for NAME.seg.nrrd, in the same folder."""
    name, ending = outputs.split_suffix(output)
    return [output.with_name(f"{name}_candidate{n}{ending}") for n in range(1, count + 1)]


def write_candidates(candidates: Sequence[Candidate], output: Path) -> list[str]:
    """Where each of them was written."""
    paths = candidate_paths(output, len(candidates))
    for candidate, path in zip(candidates, paths, strict=True):
        candidate.mask.write(path)
    return [str(path) for path in paths]


def candidate_lines(candidates: Sequence[Candidate], paths: Sequence[str]) -> list[str]:
    """One line each for the terminal: what it is, how likely, where it was written."""
    if not candidates:
        return ["The method offers no other outline for this prompt."]
    return [
        f"{candidate.title} (score {candidate.score:.2f}): {path}"
        for candidate, path in zip(candidates, paths, strict=True)
    ]


def plain_candidates(candidates: Sequence[Candidate]) -> list[dict[str, Any]]:
    """As JSON takes them, without the outlines."""
    return [{"title": one.title, "score": one.score} for one in candidates]
