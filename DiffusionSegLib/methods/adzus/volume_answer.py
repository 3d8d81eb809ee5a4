"""A prompt on a volume: it is answered on the slices that it is about, and followed from there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from DiffusionSegLib.methods.adzus.answer import Answer
from DiffusionSegLib.methods.adzus.box_rule import outline_box
from DiffusionSegLib.methods.adzus.click_rule import outline_hints
from DiffusionSegLib.methods.adzus.embedding import AdzusEmbedding
from DiffusionSegLib.methods.adzus.hints import Hint, disc_hint
from DiffusionSegLib.methods.adzus.plane import Plane, resized
from DiffusionSegLib.methods.adzus.plane_outline import PlaneOutline
from DiffusionSegLib.methods.adzus.prompt_marks import Marks, marks_of
from DiffusionSegLib.methods.adzus.region_rule import find_plane_regions
from DiffusionSegLib.methods.adzus.run_settings import RunSettings
from DiffusionSegLib.methods.adzus.saliency_rule import outline_salient
from DiffusionSegLib.methods.adzus.slice_answer import check_included
from DiffusionSegLib.methods.adzus.view import whole_view
from DiffusionSegLib.methods.adzus.volume_rule import outline_volume
from DiffusionSegLib.methods.adzus.word_rule import outline_words
from DiffusionSegLib.nouns.prompt import Prompt
from DiffusionSegLib.progress import Progress

__all__ = ["answer_volume"]

_LOOKED_AT = 8  # slices, when nothing says on which the structure is


class _Volume:
    """One run on one volume."""

    def __init__(self, embedding: AdzusEmbedding, prompt: Prompt, settings: RunSettings) -> None:
        self.embedding, self.prompt, self.settings = embedding, prompt, settings
        self.stack = embedding.stack
        self.view = whole_view(self.stack.size)
        # What another rule than clicks found on a slice, to be kept when that slice is asked for.
        self.given: dict[int, tuple[Plane, PlaneOutline]] = {}

    def plane_of(self, number: int, progress: Progress) -> Plane:
        if number in self.given:
            return self.given[number][0]
        return self.embedding.plane(number, self.view, self.settings.plane, progress)

    def outline_of(self, plane: Plane, hints: Sequence[Hint]) -> PlaneOutline:
        for known, outline in self.given.values():
            if known is plane:
                return outline
        reader = self.embedding.reader(plane, self.settings.evidence)
        return outline_hints(reader, hints, self.settings.granularity)

    def give(self, number: int, plane: Plane, outline: PlaneOutline) -> Hint | None:
        """Keep a slice's outline; returns a hint in its middle, None when it is empty."""
        depth = ndimage.distance_transform_edt(np.pad(outline.mask, 1))[1:-1, 1:-1]
        if not depth.any():
            return None
        self.given[number] = (plane, outline)
        row, column = np.unravel_index(int(depth.argmax()), depth.shape)
        return disc_hint(float(row), float(column), plane.canvas.size, True)


def answer_volume(
    embedding: AdzusEmbedding, prompt: Prompt, settings: RunSettings, progress: Progress
) -> Answer:
    """Boxes, clicks and strokes start where they are; words and no prompt at all on the slice, of
    up to eight, on which something stands out most."""
    run = _Volume(embedding, prompt, settings)
    marks = marks_of(prompt, run.stack, run.view.to_canvas, run.view.canvas_size)
    hints: dict[int, tuple[Hint, ...]] = dict(marks.hints)
    if marks.boxes:
        hints = _with_boxes(run, marks, progress.part(0.0, 0.2))
    else:
        check_included([hint for some in hints.values() for hint in some])
    marked = bool(hints) or bool(marks.boxes)
    if not marked:
        hints = _found_by_looking(run, progress.part(0.0, 0.5))
    if not hints:
        empty = np.zeros((run.stack.count, *run.stack.size), dtype=np.float16)
        return Answer(empty, 0.0, "nothing stands out", marked)
    found = outline_volume(
        run.stack, hints, run.plane_of, run.outline_of, progress.part(0.5, 1.0),
        seen=embedding.sights(settings.plane), known=run.given,
    )  # fmt: skip
    probability = _within(run, marks, found.probability)
    score = found.score if marked else min(found.score, *(o.score for _, o in run.given.values()))
    rule = found.rule if not run.given else f"{_first_rule(run)}; {found.rule}"
    remark = " ".join(reason for reason in found.reasons if reason)
    return Answer(probability, score, rule, marked, remark)


def _with_boxes(run: _Volume, marks: Marks, progress: Progress) -> dict[int, tuple[Hint, ...]]:
    """The hints, with one in the middle of what fills each box on the box's middle slice."""
    hints = dict(marks.hints)
    for number in progress.track(sorted(set(marks.box_middles)), "Outlining in the box"):
        plane = run.plane_of(number, progress)
        outline = outline_box(plane, marks.boxes[number], marks.hints.get(number, ()))
        middle = run.give(number, plane, outline)
        if middle is not None:
            hints[number] = (*hints.get(number, ()), middle)
    return hints


def _found_by_looking(run: _Volume, progress: Progress) -> dict[int, tuple[Hint, ...]]:
    """One hint on the slice whose outline is surest; none when all are empty."""
    count = min(_LOOKED_AT, run.stack.count)
    numbers = np.linspace(0, run.stack.count - 1, count + 2)[1:-1].round().astype(int).tolist()
    best: tuple[float, int, Plane, PlaneOutline] | None = None
    for done, number in enumerate(sorted(set(numbers))):
        part = progress.part(done / len(numbers), (done + 1) / len(numbers), "Looking at slices")
        plane = run.plane_of(number, part)
        outline = _look(run, plane, part)
        if outline.mask.any() and (best is None or outline.score > best[0]):
            best = (outline.score, number, plane, outline)
    if best is None:
        return {}
    _, number, plane, outline = best
    hint = run.give(number, plane, outline)
    return {} if hint is None else {number: (hint,)}


def _look(run: _Volume, plane: Plane, progress: Progress) -> PlaneOutline:
    settings = run.settings
    if run.prompt.text:
        backbone, timestep = run.embedding.backbone, settings.plane.timestep
        return outline_words(plane, backbone, run.prompt.text, timestep, progress)
    regions = find_plane_regions(plane, settings.regions, progress)
    return outline_salient(plane, regions, settings.granularity)


def _first_rule(run: _Volume) -> str:
    return next(outline.rule for _, outline in run.given.values())


def _within(run: _Volume, marks: Marks, probability: NDArray[np.floating]) -> NDArray[np.floating]:
    """The probability, 0 outside the boxes when there are any."""
    if not marks.boxes:
        return probability
    kept = np.zeros_like(probability)
    for number, box in marks.boxes.items():
        inside = resized(box[..., None].astype(np.float32), run.stack.size)[..., 0] >= 0.5
        kept[number] = np.where(inside, probability[number], 0)
    return kept
