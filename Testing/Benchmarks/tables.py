"""Small tables: as Markdown for reading, as JSON for machines."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation over cases (of the population: these cases are all there are)."""

    mean: float
    deviation: float
    count: int

    @staticmethod
    def of(values: Iterable[float]) -> Spread | None:
        """None when there is nothing to summarise."""
        numbers = np.array([value for value in values if not math.isnan(value)], float)
        if not len(numbers):
            return None
        return Spread(float(numbers.mean()), float(numbers.std()), len(numbers))

    def __str__(self) -> str:
        return f"{self.mean:.3f} ± {self.deviation:.3f}"


Row = Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """What a benchmark found. conditions: split, device, threads, versions, seed."""

    title: str
    conditions: Mapping[str, Any]
    rows: Sequence[Row]

    def text(self) -> str:
        """Markdown that is also aligned for the eye."""
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        cells = [names, *[[_shown(row.get(name)) for name in names] for row in self.rows]]
        widths = [max(len(line[i]) for line in cells) for i in range(len(names))]
        lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(x, widths, strict=True)) + " |"
                 for x in cells]  # fmt: skip
        lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
        told = "; ".join(f"{name}: {value}" for name, value in self.conditions.items())
        return "\n".join([f"## {self.title}", "", told, "", *lines, ""])

    def to_json(self) -> str:
        """Everything, unrounded."""
        rows = [{name: _plain(value) for name, value in row.items()} for row in self.rows]
        content = {"title": self.title, "conditions": dict(self.conditions), "rows": rows}
        return json.dumps(content, indent=1)

    def publish(self, json_path: Path | None) -> None:
        """Print it; write the JSON where a path is given."""
        print(self.text(), flush=True)
        if json_path is not None:
            json_path.write_text(self.to_json() + "\n", encoding="utf-8")


def _shown(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}"
    return str(value)


def _plain(value: object) -> object:
    if isinstance(value, Spread):
        return {"mean": value.mean, "deviation": value.deviation, "cases": value.count}
    return value
