"""What the benchmark asks of an algorithm, and a DiffusionSeg method in this shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.evaluation.clicks import Click
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.prompt import Point, Prompt
from DiffusionSegLib.session import Session

BoolArray = NDArray[np.bool_]


class Outliner(Protocol):
    """Outlines one object in the image that was set last."""

    def set_image(self, image: Image) -> None:
        """Do what needs no click."""

    def outline(self, clicks: Sequence[Click]) -> BoolArray:
        """(1, rows, columns) for all clicks so far, the first of which includes."""


class SessionOutliner:
    """A registered method. Raises InputError for one that takes no points."""

    def __init__(self, session: Session) -> None:
        if "points" not in session.description.prompts:
            raise InputError(
                f"The method {session.description.name} takes no clicks, so there is nothing to "
                "compare; choose one that takes points."
            )
        self._session = session
        self._image: Image | None = None

    def set_image(self, image: Image) -> None:
        """Embed it."""
        self._image = image
        self._session.set_image(image)

    def outline(self, clicks: Sequence[Click]) -> BoolArray:
        """The proposal at 0.5; all labels together."""
        assert self._image is not None
        indices = np.array([click.position_kji for click in clicks], np.float64)
        places = self._image.geometry.kji_to_ras(indices)
        points = [
            Point((float(x), float(y), float(z)), click.include)
            for (x, y, z), click in zip(places, clicks, strict=True)
        ]
        mask = self._session.propose(Prompt(points=tuple(points))).mask()
        inside: BoolArray = mask.array != 0
        return inside
