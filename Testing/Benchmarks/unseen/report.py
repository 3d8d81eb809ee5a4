"""Tables of what was measured: how well per type of tumor, and how often where there is none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from Testing.Benchmarks.tables import Row, Table
from Testing.Benchmarks.unseen.asking import OWN, WHOLE
from Testing.Benchmarks.unseen.baselines import family

TRAINED_ON = "trained on"
_TOGETHER = "all but those trained on"


@dataclass(frozen=True)
class Scored:
    """One outline. kind: of tumor; in_test: whether its patient is of the test part; state: of the
    verdict, "" for baselines, which have none."""

    kind: str
    case: str
    in_test: bool
    algorithm: str
    dice: float
    state: str = ""

    @property
    def is_baseline(self) -> bool:
        """Whether it is none of DiffuGTS's own."""
        return self.algorithm not in OWN


@dataclass(frozen=True)
class Alarm:
    """One picture without a tumor, and what the model (by its fold) said."""

    pictures: str
    case: str
    model: str
    state: str
    score: float


@dataclass
class Report:
    """Grows while the benchmark runs. title: of the models that were asked."""

    title: str
    conditions: Mapping[str, Any]
    whole_types: bool = True
    scored: list[Scored] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)

    def tables(self) -> list[Table]:
        """Those that have rows."""
        found = []
        if self.whole_types:
            found.append(self._outlines("all cases of the type", self.scored))
        tested = [one for one in self.scored if one.in_test]
        found.append(self._outlines("cases of the test part alone", tested))
        found += [self._alarms(), self._ahead(self.scored if self.whole_types else tested)]
        return [table for table in found if table.rows]

    def text(self) -> str:
        """For reading."""
        return "\n".join(table.text() for table in self.tables())

    def write(self, path: Path) -> None:
        """The tables, and every single case."""
        content = {
            "tables": [json.loads(table.to_json()) for table in self.tables()],
            "cases": [asdict(one) for one in self.scored],
            "healthy": [asdict(one) for one in self.alarms],
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

    def _outlines(self, which: str, scored: Sequence[Scored]) -> Table:
        rows = [_row(name, scored) for name in _shown(scored)]
        title = f"{self.title}: mean Dice (median), {which}"
        return Table(title, {**self.conditions, "cases": _counts(scored)}, rows)

    def _ahead(self, scored: Sequence[Scored]) -> Table:
        means = {name: mean_over_types(name, scored) for name in _shown(scored)}
        own = means.get(WHOLE)
        rivals = {name: means[name] for name in _baselines(scored)}
        if own is None or not rivals:
            return Table("", {}, [])
        best = max(rivals, key=lambda name: rivals[name])
        row = {"mean over types": own, "best baseline": f"{best} {rivals[best]:.3f}"}
        row["ahead"] = f"{own - rivals[best]:+.3f}"
        return Table(f"{self.title}: against the best baseline", {"what": WHOLE}, [row])

    def _alarms(self) -> Table:
        keys = dict.fromkeys((alarm.pictures, alarm.model) for alarm in self.alarms)
        rows = [_alarm_row(pictures, model, self.alarms) for pictures, model in keys]
        unseen = [replace(one, pictures=_TOGETHER, model="each") for one in self.alarms
                  if TRAINED_ON not in one.pictures]  # fmt: skip
        if len({alarm.pictures for alarm in self.alarms}) > 1 and unseen:
            rows.append(_alarm_row(_TOGETHER, "each", unseen))
        return Table("Healthy pictures", {"alarm": "verdict is not NOT_FOUND"}, rows)


def mean_over_types(algorithm: str, scored: Iterable[Scored]) -> float:
    """Each type counts the same, however many cases it has."""
    by_kind: dict[str, list[float]] = {}
    for one in scored:
        if one.algorithm == algorithm:
            by_kind.setdefault(one.kind, []).append(one.dice)
    return float(np.mean([np.mean(values) for values in by_kind.values()]))


def _shown(scored: Sequence[Scored]) -> list[str]:
    """What DiffuGTS says, in order, then of each family of baselines the best member."""
    there = dict.fromkeys(one.algorithm for one in scored)
    own = [name for name in OWN if name in there]
    return [*own, *_baselines(scored)]


def _baselines(scored: Sequence[Scored]) -> list[str]:
    names = dict.fromkeys(one.algorithm for one in scored if one.is_baseline)
    families: dict[str, list[str]] = {}
    for name in names:
        families.setdefault(family(name), []).append(name)
    return [max(them, key=lambda name: mean_over_types(name, scored)) for them in families.values()]


def _row(algorithm: str, scored: Sequence[Scored]) -> Row:
    mine = [one for one in scored if one.algorithm == algorithm]
    row: dict[str, Any] = {"outline": algorithm}
    medians = []
    for kind in dict.fromkeys(one.kind for one in scored):
        values = [one.dice for one in mine if one.kind == kind]
        if not values:
            continue
        row[kind] = f"{np.mean(values):.3f} ({np.median(values):.3f})"
        medians.append(float(np.median(values)))
    row["mean over types"] = f"{mean_over_types(algorithm, scored):.3f} ({np.mean(medians):.3f})"
    missed = [one.state == "NOT_FOUND" for one in mine if one.state]
    row["not found"] = f"{sum(missed)} of {len(missed)}" if missed else None
    return row


def _counts(scored: Sequence[Scored]) -> str:
    pairs = dict.fromkeys((one.kind, one.case) for one in scored)
    kinds = dict.fromkeys(kind for kind, _ in pairs)
    return ", ".join(f"{kind} {sum(k == kind for k, _ in pairs)}" for kind in kinds)


def _alarm_row(pictures: str, model: str, alarms: Sequence[Alarm]) -> Row:
    mine = [one for one in alarms if (one.pictures, one.model) == (pictures, model)]
    states = [one.state for one in mine]
    return {
        "pictures": pictures,
        "model": model,
        "count": len(mine),
        "alarm": 1 - states.count("NOT_FOUND") / len(states),
        "FOUND": states.count("FOUND") / len(states),
        "mean score": float(np.mean([one.score for one in mine])),
    }
