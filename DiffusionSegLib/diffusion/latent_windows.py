"""Which windows of a grid a network has to be run in when only a masked part of it will change.

Windows of one size cover the grid; the layout starts at the mask, so that one window lies around
it where it fits. All of this is our choice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import torch
from torch import Tensor

__all__ = ["Box", "Span", "Window", "WindowLayout", "fitted_size", "layout_around", "shared_box"]

Box = tuple[slice, ...]


@dataclass(frozen=True)
class Span:
    """A window along one axis: the network reads places [start, end) and is believed in [first,
    last) of them."""

    start: int
    end: int
    first: int
    last: int


@dataclass(frozen=True)
class Window:
    """One span for each axis."""

    spans: tuple[Span, ...]

    def read(self, scale: int = 1) -> Box:
        """What the network reads; scale: voxels of a place, for a grid of voxels."""
        return tuple(slice(scale * span.start, scale * span.end) for span in self.spans)

    def used(self) -> Box:
        """Where it is believed, in places of the whole grid."""
        return tuple(slice(span.first, span.last) for span in self.spans)

    def moved(self, by: Sequence[int]) -> Window:
        """The same window in a grid whose place 0 is place ``by`` of this one."""
        return Window(tuple(_moved(s, n) for s, n in zip(self.spans, by, strict=True)))

    def weight(self, scale: int = 1) -> Tensor:
        """(*size · scale), float32: falls linearly from the middle of what is used to its border,
        above 0 there; 0 elsewhere."""
        return _outer([_profile(span, span.start, span.end, scale) for span in self.spans])


@dataclass(frozen=True)
class WindowLayout:
    """Windows over all ``places``: every combination of the spans of each axis."""

    places: tuple[int, ...]
    axes: tuple[tuple[Span, ...], ...]

    def windows(self) -> list[Window]:
        """All of them."""
        return [Window(spans) for spans in product(*self.axes)]

    def touching(self, mask: Tensor) -> list[Window]:
        """Those that are believed at a place where ``mask`` (*places) is above 0."""
        box = _bounds(mask > 0)
        if box is None:
            return []
        near = [
            [span for span in spans if span.first < side.stop and side.start < span.last]
            for spans, side in zip(self.axes, box, strict=True)
        ]
        found = [Window(spans) for spans in product(*near)]
        return [window for window in found if bool((mask[window.used()] > 0).any())]

    def weight(self, box: Box, scale: int = 1) -> Tensor:
        """(*box · scale): the sum of all windows' weights over a box of places; above 0."""
        return _outer(
            [
                torch.stack([_profile(s, side.start, side.stop, scale) for s in spans]).sum(0)
                for spans, side in zip(self.axes, box, strict=True)
            ]
        )


def layout_around(
    mask: Tensor, size: Sequence[int], overlap: float = 0.25, margin: int = 4
) -> WindowLayout:
    """Windows of ``size`` places over the grid of ``mask`` (*places), the first ones over its
    bounding box, which keeps ``margin`` places to their borders where the grid goes on.

    overlap: share in [0, 0.9] of a window that the next one has in common with it. Beyond the box
    windows go on in both directions and are not believed within it, only up to it: when the box
    with its margin fits, exactly one window touches the mask. An axis shorter than its window gets
    one of its own length.
    Raises ValueError for a mask that is 0 everywhere.
    """
    box = _bounds(mask > 0)
    if box is None:
        raise ValueError("windows are laid around a mask, and this one is empty")
    if not 0.0 <= overlap <= 0.9:
        raise ValueError(f"overlap must lie between 0 and 0.9, got {overlap}")
    axes = [
        _spans(count, min(width, count), side, margin, overlap)
        for count, width, side in zip(mask.shape, size, box, strict=True)
    ]
    return WindowLayout(tuple(mask.shape), tuple(axes))


def fitted_size(
    masks: Sequence[Tensor],
    step: int,
    smallest: int,
    largest: int,
    overlap: float = 0.25,
    margin: int = 4,
) -> tuple[int, ...]:
    """Sides of the smallest window of which, along each axis, no more are needed than of one with
    side ``largest`` to cover the bounding box of each mask (*places) and its margin.

    They are multiples of ``step``, from ``smallest`` on, and not longer than the grid, whose sides
    are multiples of it. Empty masks do not count.
    """
    boxes = [box for box in (_bounds(mask > 0) for mask in masks) if box is not None]
    sides = []
    for axis, count in enumerate(masks[0].shape):
        ends = [_with_margin(box[axis], margin, count) for box in boxes]
        length = max((high - low for low, high in ends), default=1)
        most = max(step, min(largest, count) // step * step)
        number = _number(length, most, _stride(most, overlap))
        for side in range(step, most + 1, step):
            if (
                side >= min(smallest, most)
                and _number(length, side, _stride(side, overlap)) <= number
            ):
                sides.append(side)
                break
    return tuple(sides)


def shared_box(windows: Sequence[Window]) -> Box:
    """The smallest box of places that holds all that the windows read."""
    axes = zip(*(window.spans for window in windows), strict=True)
    return tuple(slice(min(s.start for s in spans), max(s.end for s in spans)) for spans in axes)


def _spans(count: int, width: int, box: slice, margin: int, overlap: float) -> tuple[Span, ...]:
    stride = _stride(width, overlap)
    low, high = _with_margin(box, margin, count)
    middle = _over_box(count, width, low, high, stride)
    first, last = middle[0], middle[-1]
    after = _beyond(count, width, last.start + stride, box.stop, last.end, stride)
    # What lies before is what lies beyond in a grid that is read backwards.
    mirrored = _beyond(
        count, width, count - first.end + stride, count - box.start, count - first.start, stride
    )
    before = [
        Span(count - s.end, count - s.start, count - s.last, count - s.first) for s in mirrored
    ]
    return (*reversed(before), *middle, *after)


def _stride(width: int, overlap: float) -> int:
    return max(1, round(width * (1 - overlap)))


def _number(length: int, width: int, stride: int) -> int:
    """Of windows that cover a length."""
    return 1 + math.ceil(max(0, length - width) / stride)


def _with_margin(side: slice, margin: int, count: int) -> tuple[int, int]:
    return max(0, side.start - margin), min(count, side.stop + margin)


def _over_box(count: int, width: int, low: int, high: int, stride: int) -> list[Span]:
    length = high - low
    number = _number(length, width, stride)
    reach = width + (number - 1) * stride
    first = min(max(low - (reach - length) // 2, 0), max(0, count - reach))
    return [_pushed_back(first + i * stride, width, count) for i in range(number)]


def _beyond(
    count: int, width: int, next_start: int, box_end: int, covered: int, stride: int
) -> list[Span]:
    found: list[Span] = []
    start = max(next_start, box_end)
    while covered < count:
        found.append(_pushed_back(start, width, count))
        covered = found[-1].end
        start += stride
    return found


def _pushed_back(start: int, width: int, count: int) -> Span:
    """A window that would leave the grid is read further back, and believed only from where it
    would have begun."""
    read = min(start, count - width)
    return Span(read, read + width, start, read + width)


def _profile(span: Span, begin: int, end: int, scale: int) -> Tensor:
    """((end - begin) · scale,): the span's weight along its axis from ``begin`` to ``end``."""
    position = torch.arange(begin * scale, end * scale, dtype=torch.float32) + 0.5
    nearest = torch.minimum(position - span.first * scale, span.last * scale - position)
    return nearest.clamp(min=0.0) / scale


def _outer(profiles: Sequence[Tensor]) -> Tensor:
    weight = torch.ones(())
    for profile in profiles:
        weight = weight[..., None] * profile
    return weight


def _moved(span: Span, by: int) -> Span:
    return replace(
        span,
        start=span.start - by,
        end=span.end - by,
        first=span.first - by,
        last=span.last - by,
    )


def _bounds(mask: Tensor) -> Box | None:
    found = []
    for axis in range(mask.ndim):
        others = [a for a in range(mask.ndim) if a != axis]
        line = (mask.any(dim=others) if others else mask).nonzero()
        if not len(line):
            return None
        found.append(slice(int(line[0]), int(line[-1]) + 1))
    return tuple(found)
