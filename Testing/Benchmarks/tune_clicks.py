"""Chooses the weights by which ADZUS answers clicks, and prints them.

    python -m Testing.Benchmarks.tune_clicks --data FOLDER

Simulated clicks on the training and validation parts of open data sets (lung and liver tumors, of
which there are few, whole); pictures are shown to the network with a long side of 256 pixels. The
weights of level_score.ScoreWeights and editing.EditWeights are those with which a softmax over all
choices has the highest expected Dice, a set counting by the root of its examples and by _EMPHASIS.
In each round the outlines that are corrected come from the weights of the round before.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.backbones.opening import open_backbone
from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.methods.adzus.editing import EditWeights
from DiffusionSegLib.methods.adzus.level_score import ScoreWeights
from DiffusionSegLib.methods.adzus.plane import CANVAS_SIDE, Plane, make_plane, resized
from DiffusionSegLib.methods.adzus.slice_picture import choose_window
from DiffusionSegLib.progress import Progress
from Testing.Benchmarks.common import execute, tell
from Testing.Benchmarks.zero_shot.baselines import share_threads
from Testing.Benchmarks.zero_shot.cases import ZeroShotCase, load_cases
from Testing.Benchmarks.zero_shot.choice_fitting import expected_dice, fit_weights
from Testing.Benchmarks.zero_shot.click_examples import Examples, click_examples

_SETS = {
    "skin-lesion": ("train", "validation"),
    "brain-tumor": ("train", "validation"),
    "sarcoma-ct": ("train", "validation"),
    "sarcoma-mr": ("train", "validation"),
    "lung-tumor": ("all",),
    "hepatic-tumor": ("all",),
    "nucleus": ("train", "validation"),
    "pancreas": ("train", "validation"),
    "liver": ("train", "validation"),
    "hippocampus": ("train", "validation"),
}
# What is easier or less asked for counts less; brain tumors suffered most from the other sets.
_EMPHASIS = {
    "brain-tumor": 1.5, "sarcoma-mr": 2.0, "nucleus": 0.7, "pancreas": 0.8, "liver": 0.6,
    "hippocampus": 0.5,
}  # fmt: skip
_LIMITS = {"nucleus": 40, "pancreas": 30, "liver": 30, "hippocampus": 30}  # cases a part
_CLICKS = 4


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--model", default="compact", help="of method adzus")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--limit", type=int, metavar="N", help="at most so many cases a part")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:N or mps")
    parser.add_argument("--threads", type=int, default=1)
    return execute(parser, run, arguments)


def run(args: argparse.Namespace) -> int:
    """Collect, fit, print, and again."""
    share_threads(args.threads)
    planes = {name: list(_planes(name, args)) for name in _SETS}
    scores, edits = ScoreWeights(), EditWeights()
    further: dict[str, list] = {name: [] for name in _SETS}
    for number in range(1, args.rounds + 1):
        found = {name: _collect(planes[name], scores, edits) for name in _SETS}
        for name, examples in found.items():
            further[name] += examples.further
            reached = " ".join(f"{dice:.3f}" for dice in np.mean(examples.reached, axis=0))
            tell(f"round {number}  {name:14s} {len(examples.reached):3d} cases  Dice {reached}")
        first = {name: examples.first for name, examples in found.items()}
        scores = _scores(fit_weights(first, _EMPHASIS))
        edits = EditWeights(*fit_weights(further, _EMPHASIS))
        for name in _SETS:
            expected = expected_dice(first[name], scores.vector)
            later = expected_dice(further[name], edits.vector)
            tell(f"fitted   {name:14s} expected Dice first {expected:.3f}, further {later:.3f}")
        tell(f"{_rounded(scores.vector)}\n{_rounded(edits.vector)}")
    return 0


def _planes(name: str, args: argparse.Namespace) -> Iterator[tuple[Plane, NDArray[np.bool_]]]:
    model = ModelStore().find("adzus", args.model)
    backbone = open_backbone(model.settings["backbone"], args.device, folder=model.folder)
    timestep = int(model.settings.get("timestep", 100))
    for part in _SETS[name]:
        for case in load_cases(name, args.data, part, args.limit or _LIMITS.get(name)):
            rgb, truth = _reduced(case)
            if truth.any():
                yield make_plane(rgb, backbone, timestep, Progress.silent()), truth


def _reduced(case: ZeroShotCase) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Picture and truth on the canvas."""
    rgb = choose_window(case.image).picture(case.image.array[:, 0])
    scale = CANVAS_SIDE / max(rgb.shape[:2])
    size = (max(8, round(rgb.shape[0] * scale)), max(8, round(rgb.shape[1] * scale)))
    share = resized(case.truth[0][..., None].astype(np.float32), size)[..., 0]
    return resized(rgb, size), share >= 0.5


def _collect(
    planes: Sequence[tuple[Plane, NDArray[np.bool_]]], scores: ScoreWeights, edits: EditWeights
) -> Examples:
    examples = Examples()
    for plane, truth in planes:
        click_examples(plane, truth, _CLICKS, scores, edits, examples)
    return examples


def _scores(weights: NDArray[np.float64]) -> ScoreWeights:
    values = [float(value) for value in weights]
    return ScoreWeights((values[0], values[1], values[2]), *values[3:])


def _rounded(weights: NDArray[np.float64]) -> str:
    return "[" + ", ".join(f"{value:.2f}" for value in weights) + "]"


if __name__ == "__main__":
    raise SystemExit(main())
