"""Pictures of one result: image, outlines, probability and uncertainty of the best slices."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from DiffusionSegLib.evaluation import picture
from DiffusionSegLib.evaluation.explaining import Explained, explaining_pictures
from DiffusionSegLib.evaluation.label_pairs import LabelPair
from DiffusionSegLib.evaluation.sheet import base_picture, orientation, pixels_per_mm
from DiffusionSegLib.evaluation.slices import PLANE_AXES, Slice, Turned, best_slice
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.proposal import Proposal

PICTURE_SIZE = 400
# Smaller spreads are not worth a bright colour.
SMALLEST_SPREAD = 0.05


@dataclass(frozen=True)
class PlanePictures:
    """One slice: a picture per input channel, the outlines, the two maps, and what explains them.

    `uncertainty` is None when the method gives none; `plane` is axial, coronal, sagittal or
    picture.
    """

    plane: str
    channels: tuple[Pillow.Image, ...]
    outlines: Pillow.Image
    probability: Pillow.Image
    uncertainty: Pillow.Image | None
    explained: tuple[Explained, ...] = ()

    @property
    def row(self) -> tuple[Pillow.Image, ...]:
        """All pictures from left to right."""
        last = () if self.uncertainty is None else (self.uncertainty,)
        more = (one.picture for one in self.explained)
        return (*self.channels, self.outlines, self.probability, *last, *more)


@dataclass(frozen=True)
class _Turned:
    """Everything that is drawn, turned the right way up."""

    image: Image
    proposal: Proposal
    turned: Turned
    predicted: NDArray[np.uint8]
    true: NDArray[np.uint8]
    probability: NDArray[np.floating]
    uncertainty: NDArray[np.floating] | None
    largest_spread: float


def sample_pictures(
    image: Image, proposal: Proposal, mask: Mask, truth: Mask, pairs: Sequence[LabelPair]
) -> tuple[PlanePictures, ...]:
    """Pictures of the most informative slice: of each of three planes, or of the photograph."""
    turned = orientation(image)
    spread = proposal.uncertainty.array[0] if proposal.uncertainty is not None else None
    drawn = _Turned(
        image,
        proposal,
        turned,
        turned.apply(mask.array),
        turned.apply(truth.array),
        turned.apply(proposal.probability.array.sum(axis=0, dtype=np.float32)),
        None if spread is None else turned.apply(spread),
        largest_spread(proposal),
    )
    planes = ("picture",) if image.dimension == 2 else tuple(PLANE_AXES)
    return tuple(_plane(drawn, plane, pairs) for plane in planes)


def largest_spread(proposal: Proposal) -> float:
    """The uncertainty that the brightest colour stands for."""
    if proposal.uncertainty is None:
        return SMALLEST_SPREAD
    return max(SMALLEST_SPREAD, float(proposal.uncertainty.array.max()))


def _plane(drawn: _Turned, plane: str, pairs: Sequence[LabelPair]) -> PlanePictures:
    weight = drawn.true != 0 if drawn.true.any() else drawn.predicted != 0
    shown = best_slice(drawn.turned, weight, plane)
    count = 1 if drawn.image.is_rgb else len(drawn.image.array)
    channels = tuple(
        base_picture(drawn.image, drawn.turned, shown, PICTURE_SIZE, channel)
        for channel in range(count)
    )
    if drawn.image.dimension == 3:
        scale = pixels_per_mm(channels[0], shown, drawn.turned, drawn.true)
        picture.draw_scale_bar(channels[0], scale)
    # The last channel of CT and MR shows soft tissue best; a single one is the first and last.
    ground = base_picture(drawn.image, drawn.turned, shown, PICTURE_SIZE, count - 1)
    spread = drawn.uncertainty
    return PlanePictures(
        plane,
        channels,
        _outlined(ground, drawn, shown, pairs),
        _map(shown, drawn.probability, "inferno"),
        None if spread is None else _map(shown, spread / drawn.largest_spread, "viridis"),
        explaining_pictures(
            drawn.proposal, drawn.image, drawn.turned, shown, PICTURE_SIZE, count - 1
        ),
    )


def _outlined(
    ground: Pillow.Image, drawn: _Turned, shown: Slice, pairs: Sequence[LabelPair]
) -> Pillow.Image:
    true, predicted = shown.of(drawn.true), shown.of(drawn.predicted)
    for pair in pairs:
        ground = picture.draw_outline(ground, pair.true(true), picture.TRUTH_COLOR, 3.4)
    for pair in pairs:
        outline = pair.predicted(predicted)
        ground = picture.draw_outline(ground, outline, picture.PREDICTION_COLOR, 1.8)
    return ground


def _map(shown: Slice, values: NDArray[np.floating], color_map: str) -> Pillow.Image:
    pixels = picture.colored(shown.of(values), color_map)
    return picture.enlarged(pixels, shown.spacing_mm, PICTURE_SIZE)


def overlay_png(pictures: Sequence[PlanePictures]) -> bytes:
    """The outlined slices in one row, with a legend, as PNG."""
    row = picture.beside([plane.outlines for plane in pictures])
    picture.draw_legend(
        row, [("known outline", picture.TRUTH_COLOR), ("prediction", picture.PREDICTION_COLOR)]
    )
    buffer = io.BytesIO()
    row.save(buffer, format="PNG")
    return buffer.getvalue()
