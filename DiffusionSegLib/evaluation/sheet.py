"""A picture of the best, the median and the worst case: what the numbers look like."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from DiffusionSegLib.evaluation import picture
from DiffusionSegLib.evaluation.label_pairs import LabelPair
from DiffusionSegLib.evaluation.scores import CaseResult
from DiffusionSegLib.evaluation.slices import Slice, Turned, as_drawn, best_slice, turned_to_patient
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask

PICTURE_SIZE = 420
_CAPTION_HEIGHT = 30
_GROUND = (18, 18, 20)


def case_picture(image: Image, mask: Mask, truth: Mask, pairs: Sequence[LabelPair]) -> bytes:
    """PNG of the axial slice that shows most of the object (truth, else prediction)."""
    turned = orientation(image)
    true, predicted = turned.apply(truth.array), turned.apply(mask.array)
    plane = "picture" if image.dimension == 2 else "axial"
    shown = best_slice(turned, true != 0 if true.any() else predicted != 0, plane)
    drawn = base_picture(image, turned, shown, PICTURE_SIZE)
    for pair in pairs:
        drawn = picture.draw_outline(drawn, pair.true(shown.of(true)), picture.TRUTH_COLOR, 3.4)
    for pair in pairs:
        drawn = picture.draw_outline(
            drawn, pair.predicted(shown.of(predicted)), picture.PREDICTION_COLOR, 1.8
        )
    if image.dimension == 3:
        picture.draw_scale_bar(drawn, pixels_per_mm(drawn, shown, turned, true))
    buffer = io.BytesIO()
    drawn.save(buffer, format="PNG")
    return buffer.getvalue()


def orientation(image: Image) -> Turned:
    """Volumes are turned towards the patient's axes, pictures stay as they are."""
    return as_drawn(image.geometry) if image.dimension == 2 else turned_to_patient(image.geometry)


def base_picture(
    image: Image, turned: Turned, shown: Slice, longest: int, channel: int = 0
) -> Pillow.Image:
    """The slice in its colours, or the channel in grey."""
    if image.is_rgb:
        layers = [_as_bytes(shown.of(turned.apply(layer))) for layer in image.array]
        return picture.enlarged(np.stack(layers, axis=-1), shown.spacing_mm, longest)
    values = image.array[channel]
    pixels = picture.grey(shown.of(turned.apply(values)), picture.display_range(values))
    return picture.enlarged(pixels, shown.spacing_mm, longest)


def pixels_per_mm(
    drawn: Pillow.Image, shown: Slice, turned: Turned, array: NDArray[np.generic]
) -> float:
    """Scale of a drawn slice of a turned array."""
    return float(drawn.width / (shown.of(array).shape[1] * shown.spacing_mm[1]))


def _as_bytes(layer: NDArray[np.generic]) -> NDArray[np.uint8]:
    if layer.dtype == np.uint8:
        return layer.astype(np.uint8, copy=False)
    return picture.grey(layer, picture.display_range(layer))[..., 0]


def compose_sheet(results: Sequence[CaseResult]) -> Pillow.Image:
    """Worst, median and best by Dice, from results that carry a picture.

    A single row with captions and a legend; fewer pictures when there are fewer cases.
    """
    ranked = sorted(
        (result for result in results if result.picture and not math.isnan(result.dice)),
        key=lambda result: result.dice,
    )
    if not ranked:
        return Pillow.new("RGB", (PICTURE_SIZE, _CAPTION_HEIGHT), _GROUND)
    chosen = {"best": ranked[-1], "median": ranked[len(ranked) // 2], "worst": ranked[0]}
    row = picture.beside(
        [_captioned(title, result) for title, result in chosen.items()], gap=10, ground=_GROUND
    )
    sheet = Pillow.new("RGB", (row.width + 20, row.height + 10 + _CAPTION_HEIGHT), _GROUND)
    sheet.paste(row, (10, 10))
    _draw_key(sheet)
    return sheet


def _captioned(title: str, result: CaseResult) -> Pillow.Image:
    assert result.picture is not None
    with Pillow.open(io.BytesIO(result.picture)) as stored:
        drawn = stored.convert("RGB")
    framed = Pillow.new("RGB", (PICTURE_SIZE, PICTURE_SIZE + _CAPTION_HEIGHT), _GROUND)
    left = (PICTURE_SIZE - drawn.width) // 2
    framed.paste(drawn, (left, _CAPTION_HEIGHT + (PICTURE_SIZE - drawn.height) // 2))
    caption = f"{title}: {result.case}, Dice {result.dice:.3f}"
    picture.draw_text(framed, (2, _CAPTION_HEIGHT // 2), caption, anchor="lm", size=15)
    return framed


def _draw_key(sheet: Pillow.Image) -> None:
    height = sheet.height - _CAPTION_HEIGHT // 2
    for left, name, color in (
        (12, "known outline", picture.TRUTH_COLOR),
        (140, "this method's outline", picture.PREDICTION_COLOR),
    ):
        picture.draw_text(sheet, (left, height), name, anchor="lm", size=14, color=color)
