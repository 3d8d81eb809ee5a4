"""Which rule answers a prompt on one slice: a box, then clicks and strokes, then words, then what
stands out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.errors import PromptError
from DiffusionSegLib.methods.adzus.answer import Answer
from DiffusionSegLib.methods.adzus.box_rule import outline_box
from DiffusionSegLib.methods.adzus.click_rule import outline_hints
from DiffusionSegLib.methods.adzus.embedding import AdzusEmbedding
from DiffusionSegLib.methods.adzus.hints import Hint
from DiffusionSegLib.methods.adzus.plane import Plane
from DiffusionSegLib.methods.adzus.plane_outline import PlaneCandidate, PlaneOutline
from DiffusionSegLib.methods.adzus.prompt_marks import marks_of
from DiffusionSegLib.methods.adzus.region_rule import find_plane_regions, region_candidates
from DiffusionSegLib.methods.adzus.run_settings import RunSettings
from DiffusionSegLib.methods.adzus.saliency_rule import outline_salient
from DiffusionSegLib.methods.adzus.slice_stack import SliceStack
from DiffusionSegLib.methods.adzus.view import View, view_around
from DiffusionSegLib.methods.adzus.word_rule import outline_words
from DiffusionSegLib.nouns.prompt import Prompt
from DiffusionSegLib.progress import Progress

__all__ = ["answer_slice", "check_included"]

_MOST_CANDIDATES = 12
_UNUSED_WORDS = "The text only names the result: where it is, the marks say."
_WINDOW = (
    "The image is large, so only {} x {} pixels around the marks were looked at; to look farther, "
    "mark the structure's ends too or draw a box around it."
)


def answer_slice(
    embedding: AdzusEmbedding, prompt: Prompt, settings: RunSettings, progress: Progress
) -> Answer:
    """Of an image with one slice."""
    stack = embedding.stack
    view = view_around(_places(prompt, stack), stack.size)
    marks = marks_of(prompt, stack, view.to_canvas, view.canvas_size)
    hints, box = marks.hints.get(0, ()), marks.boxes.get(0)
    if box is None:
        check_included(hints)
    plane = embedding.plane(0, view, settings.plane, progress.part(0.0, 0.7))
    part = progress.part(0.7, 1.0)
    marked = box is not None or bool(hints)
    if box is not None:
        found = outline_box(plane, box, hints)
    elif hints:
        found = outline_hints(
            embedding.reader(plane, settings.evidence), hints, settings.granularity
        )
    elif prompt.text:
        timestep = settings.plane.timestep
        found = outline_words(plane, embedding.backbone, prompt.text, timestep, part)
    else:
        return _unprompted(stack, view, plane, settings, part)
    remarks = [_UNUSED_WORDS] if marked and prompt.text else []
    if (view.rows, view.columns) != stack.size:
        remarks.append(_WINDOW.format(view.columns, view.rows))
    return _answer(stack, view, plane, found, marked, " ".join(remarks))


def check_included(hints: Sequence[Hint]) -> None:
    """Raises PromptError when there are hints and all of them exclude."""
    if hints and not any(hint.include for hint in hints):
        said = "The only mark excludes" if len(hints) == 1 else f"All {len(hints)} marks exclude"
        raise PromptError(
            f"{said}, so nothing says what to outline; add a point or a stroke "
            "that belongs to the structure, or draw a box around it."
        )


def _places(prompt: Prompt, stack: SliceStack) -> NDArray[np.float64]:
    """(n, 2) rows and columns of everything that was marked."""
    geometry = stack.image.geometry
    found = [prompt.points_kji(geometry)]
    strokes = prompt.scribbles_on(geometry)
    if strokes is not None:
        found.append(np.argwhere(strokes).astype(np.float64))
    found += [geometry.ras_to_kji(box.corners_ras()) for box in prompt.boxes]
    return stack.to_slice(np.concatenate(found))[:, 1:]


def _unprompted(
    stack: SliceStack, view: View, plane: Plane, settings: RunSettings, progress: Progress
) -> Answer:
    """What stands out, with the regions as candidates and as a numbered image."""
    regions = find_plane_regions(plane, settings.regions, progress)
    found = outline_salient(plane, regions, settings.granularity)
    others = region_candidates(plane, regions, settings.granularity)
    found = PlaneOutline(
        found.probability, found.score, found.rule, (*found.candidates, *others)[:_MOST_CANDIDATES]
    )
    answer = _answer(stack, view, plane, found, False, "")
    labels = regions.labels.numpy().astype(np.int64)
    answer.auxiliary["regions"] = _nearest(labels, stack.size)[None]
    return answer


def _answer(
    stack: SliceStack, view: View, plane: Plane, found: PlaneOutline, marked: bool, remark: str
) -> Answer:
    probability = view.paste(plane.on_slice(found.probability), stack.size)
    candidates = tuple(_candidate(stack, view, plane, one) for one in found.candidates)
    return Answer(probability[None], found.score, found.rule, marked, remark, candidates)


def _candidate(
    stack: SliceStack, view: View, plane: Plane, one: PlaneCandidate
) -> tuple[NDArray[np.bool_], float, str]:
    share = view.paste(plane.on_slice(one.mask.astype(np.float32)), stack.size)
    return (share >= 0.5)[None], one.score, one.title


def _nearest(labels: NDArray[np.int64], size: tuple[int, int]) -> NDArray[np.uint16]:
    """Numbers of the canvas at the pixels of the slice."""
    rows, columns = (
        np.minimum((np.arange(wanted) + 0.5) * have / wanted, have - 1).astype(np.int64)
        for wanted, have in zip(size, labels.shape, strict=True)
    )
    return labels[rows[:, None], columns[None]].astype(np.uint16)
