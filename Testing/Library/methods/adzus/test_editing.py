"""Measures against slow ones from their documentation; the weights' numbers may change."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from DiffusionSegLib.methods.adzus.canvas import make_canvas
from DiffusionSegLib.methods.adzus.editing import EditWeights, edit_measures, edit_score
from DiffusionSegLib.methods.adzus.hints import Hint, disc_hint
from DiffusionSegLib.methods.adzus.neighbors import straight_pairs

SIZE = (11, 13)
CANVAS = make_canvas(np.random.default_rng(0).random((*SIZE, 3)).astype(np.float32))
NAMES = [one.name for one in fields(EditWeights)]


def part_at(changed, start):
    """Pixels that can be reached from the start over edges, within what changed."""
    found, waiting = set(), [start]
    while waiting:
        row, column = waiting.pop()
        inside = 0 <= row < SIZE[0] and 0 <= column < SIZE[1]
        if not inside or (row, column) in found or not changed[row, column]:
            continue
        found.add((row, column))
        waiting += [(row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)]
    return sorted(found)


def slow_measures(outline, last, hint, local):
    first, second = straight_pairs(outline.astype(int))
    before, behind = straight_pairs(last.astype(int))
    border = [n for n in range(len(first)) if first[n] != second[n]]
    new = [n for n in border if before[n] == behind[n]]
    area, old, body = max(1, outline.sum()), max(1, last.sum()), CANVAS.body
    part = part_at(outline != last, tuple(int(p) for p in hint.pixels[0]))
    changed = max(1, len(part))
    depth, offset = -0.5, 0.3
    if hint.is_click and part:
        radius = np.sqrt(changed / np.pi)
        outside = [p for p in np.ndindex(*SIZE) if p not in part]
        near = min((np.hypot(*np.subtract(p, hint.center)) for p in outside), default=1e4)
        depth = np.log(np.clip(near / radius, 1e-2, 1.2))
        away = np.hypot(*(np.mean(part, axis=0) - hint.center)) / radius
        offset = np.log(1 + (away / 0.25) ** 2)
    log_changed, log_area = np.log(changed / body), np.log(area / body)
    compact = 4 * np.pi * area / (np.pi / 4 * len(border)) ** 2
    return [
        *(np.mean([one[n] for n in border]) for one in CANVAS.edges),
        *(np.mean([one[n] for n in new]) if new else 0.7 for one in CANVAS.edges),
        np.log(np.clip(compact, 1e-3, 1.0)), depth, offset,
        np.log(changed / max(1, (outline != last).sum())),
        log_changed, log_changed**2, log_area, log_area**2,
        abs(np.log(area / old)), float(local), len(new) / len(border),
    ]  # fmt: skip


def blob(rng, share):
    return ndimage.gaussian_filter(rng.random(SIZE), rng.uniform(0, 2)) > rng.uniform(0.4, share)


@settings(max_examples=60)
@given(st.integers(0, 9999), st.booleans(), st.booleans())
def test_every_measure_is_that_of_the_documentation(seed, is_click, local):
    rng = np.random.default_rng(seed)
    outline, last = blob(rng, 0.6), blob(rng, 0.6)
    differing = np.argwhere(outline != last)
    places = differing if len(differing) else np.argwhere(np.ones(SIZE))
    pixels = places[rng.integers(0, len(places), 1 if is_click else 3)].astype(np.int64)
    hint = Hint(pixels, bool(outline[tuple(pixels[0])]), is_click)
    found = edit_measures(outline, last, hint, CANVAS, local)
    if outline.all() or not outline.any():
        assert found is None
        assert edit_score(outline, last, hint, CANVAS, local, EditWeights()) == -np.inf
        return
    wanted = slow_measures(outline, last, hint, local)
    assert len(found) == len(wanted) == len(NAMES)
    for name, one, other in zip(NAMES, found, wanted, strict=True):
        assert one == pytest.approx(other, abs=1e-5), name


def test_weights_come_in_the_order_of_the_measures():
    outline, last = np.zeros(SIZE, bool), np.zeros(SIZE, bool)
    outline[2:9, 3:9] = True
    last[2:6, 3:9] = True
    hint = disc_hint(7, 5, SIZE, True)
    measures = edit_measures(outline, last, hint, CANVAS, True)
    nothing = EditWeights(*[0.0] * len(NAMES))
    for number, name in enumerate(NAMES):
        weights = replace(nothing, **{name: 1.0})
        found = edit_score(outline, last, hint, CANVAS, True, weights)
        assert found == pytest.approx(measures[number]), name
    assert edit_score(outline, last, hint, CANVAS, True, nothing) == 0.0


def test_a_change_of_everything_and_at_the_frame():
    """The part's box is the picture: nothing outside of it is looked for."""
    last = np.zeros(SIZE, bool)
    last[0, 0] = True
    outline = ~last
    hint = disc_hint(5, 6, SIZE, True)
    found = edit_measures(outline, last, hint, CANVAS, False)
    assert found == pytest.approx(slow_measures(outline, last, hint, False), abs=1e-5)
