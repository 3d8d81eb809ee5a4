"""What was measured on one case: plain records."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from DiffusionSegLib.evaluation.calibration import Calibration


@dataclass(frozen=True)
class LabelScore:
    """Agreement of one label. NaN where a measure has no meaning (see metrics.py)."""

    name: str
    dice: float
    iou: float
    hd95_mm: float
    volume_error_percent: float
    truth_ml: float
    predicted_ml: float


@dataclass(frozen=True)
class ClickScore:
    """Mean Dice and IoU over labels after the simulated user's n-th click; rule: the method's."""

    number: int
    position_ras: tuple[float, float, float]
    include: bool
    dice: float
    seconds: float
    iou: float = float("nan")
    rule: str = ""


@dataclass(frozen=True)
class OracleScore:
    """Agreement of the union of regions that was chosen WITH the known outline.

    regions: how many were chosen, of `offered`.
    """

    name: str
    dice: float
    iou: float
    regions: int
    offered: int


@dataclass(frozen=True)
class CaseResult:
    """Everything measured on one case; `error` says why nothing could be measured.

    `rule`: what made the outline before any click (see Provenance). `click_limit`: how often the
    simulated user was willing to click. `oracle` is no result of the method (see oracle.py).
    `picture` is a PNG of the most informative slice with both outlines, when asked for.
    """

    case: str
    channels: tuple[str, ...] = ()
    labels: tuple[LabelScore, ...] = ()
    calibration: Calibration = field(default_factory=Calibration)
    seconds: float = 0.0
    verdict: str = ""
    verdict_score: float = float("nan")
    clicks: tuple[ClickScore, ...] = ()
    picture: bytes | None = None
    error: str | None = None
    rule: str = ""
    click_limit: int = 0
    oracle: tuple[OracleScore, ...] = ()

    @property
    def dice(self) -> float:
        """Mean over labels."""
        return mean([label.dice for label in self.labels])


@dataclass(frozen=True)
class NegativeResult:
    """The verdict on an image that is known not to show the object."""

    case: str
    seconds: float = 0.0
    verdict: str = ""
    verdict_score: float = float("nan")
    predicted_ml: float = float("nan")
    error: str | None = None


def mean(values: Sequence[float]) -> float:
    """Mean of the values that are numbers; NaN when there is none."""
    numbers = [value for value in values if not math.isnan(value)]
    return sum(numbers) / len(numbers) if numbers else float("nan")
