"""What the clicks brought: a table of all algorithms per data set, and who is ahead."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from Testing.Benchmarks.tables import Row, Spread, Table
from Testing.Benchmarks.zero_shot.clicking import GOALS, MOST_CLICKS, SHOWN, Clicked

COMPARED = (1, 3)  # clicks at which a method is held against the baselines


@dataclass(frozen=True)
class Found:
    """All cases of one data set with one algorithm. role: a "method" is held against the best
    "rival"; a "floor" is only shown."""

    data_set: str
    algorithm: str
    clicked: tuple[Clicked, ...]
    role: str

    def dice_after(self, clicks: int) -> Spread | None:
        """Over the cases."""
        return Spread.of(case.dice[clicks - 1] for case in self.clicked)


@dataclass
class Report:
    """Grows while the benchmark runs."""

    conditions: Mapping[str, Any]
    found: list[Found]

    def table(self) -> Table:
        """One row per data set and algorithm."""
        rows = [_row(found) for found in self.found]
        return Table("One object, simulated clicks, no training", self.conditions, rows)

    def lead(self) -> Table:
        """Each method against the best rival of the same data set."""
        rows = []
        for method in (found for found in self.found if found.role == "method"):
            rivals = [found for found in self.found if found.role == "rival"]
            rivals = [found for found in rivals if found.data_set == method.data_set]
            rows.append(_lead(method, rivals))
        return Table("Against the best baseline of each data set", {"clicks": COMPARED}, rows)

    def text(self) -> str:
        """Both tables; the second only where there is something to compare."""
        lead = self.lead()
        return "\n".join([self.table().text(), *([lead.text()] if lead.rows else [])])

    def write(self, path: Path) -> None:
        """The tables, and Dice and seconds of every case and click."""
        content = json.loads(self.table().to_json())
        content["lead"] = json.loads(self.lead().to_json())["rows"]
        content["cases"] = [
            {"set": found.data_set, "algorithm": found.algorithm, **asdict(clicked)}
            for found in self.found
            for clicked in found.clicked
        ]
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _row(found: Found) -> Row:
    row: dict[str, Any] = {"set": found.data_set, "algorithm": found.algorithm}
    row["cases"] = len(found.clicked)
    row |= {f"Dice @{clicks}": found.dice_after(clicks) for clicks in SHOWN}
    for goal in GOALS:
        needed = [case.needed(goal) for case in found.clicked]
        row[f"clicks to {goal:.2f}"] = float(np.mean([n or MOST_CLICKS for n in needed]))
        row[f"never {goal:.2f}"] = needed.count(None)
    answers = [second for case in found.clicked for second in case.seconds]
    row["s/click"] = float(np.mean(answers))
    row["s/image"] = float(np.mean([case.prepared for case in found.clicked]))
    return row


def _lead(method: Found, rivals: Sequence[Found]) -> Row:
    row: dict[str, Any] = {"set": method.data_set, "method": method.algorithm}
    for clicks in COMPARED:
        own = _mean(method, clicks)
        row[f"Dice @{clicks}"] = own
        if rivals:
            best = max(rivals, key=lambda rival: _mean(rival, clicks))
            row[f"best @{clicks}"] = f"{_mean(best, clicks):.3f} {best.algorithm}"
            row[f"ahead @{clicks}"] = f"{own - _mean(best, clicks):+.3f}"
    return row


def _mean(found: Found, clicks: int) -> float:
    return float(np.mean([case.dice[clicks - 1] for case in found.clicked]))
