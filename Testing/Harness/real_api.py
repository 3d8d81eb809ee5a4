"""What Slicer itself offers, and what a stand-in offers beyond it.

`real_api.json` holds names read from a running Slicer 5.8.1, and under `later` the few names that
came afterwards and are used, each with the version and the reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PySide6.QtCore import Property, QObject, Signal

FACTS: dict[str, Any] = json.loads(Path(__file__).with_name("real_api.json").read_text("utf-8"))
LATER = frozenset(entry["name"] for entry in FACTS["later"])

# Written by the Python class of a Qt object and no name that a module would use.
_PYTHON_ONLY = {"cppSignals", "staticMetaObject"}


def inventions(stand_in: type, real: str) -> list[str]:
    """What this class offers and Slicer's `real` does not, in words; empty when all is well."""
    facts = FACTS["classes"][real]
    found = []
    for name, value in offered(stand_in):
        if name in LATER or f"{real}.{name}" in LATER:
            continue
        if name not in facts["names"]:
            found.append(f"{real} has no {name}")
        elif isinstance(value, Property) != (name in facts["properties"]):
            found.append(f"{real}.{name} is {'not ' * isinstance(value, Property)}a property")
        elif isinstance(value, Signal) and facts["signals_slots"] is not None:
            found += _wrong_signals(stand_in, name, real, facts["signals_slots"])
    return found


def offered(stand_in: type) -> Iterator[tuple[str, Any]]:
    """Public names that the harness itself gives to a class, its harness bases included."""
    seen = set(_PYTHON_ONLY)
    for kind in stand_in.__mro__:
        if not kind.__module__.startswith("Testing.Harness"):
            continue
        for name, value in vars(kind).items():
            overrides_qt = hasattr(QObject, name) or _is_event(name)
            if not name.startswith("_") and name not in seen and not overrides_qt:
                seen.add(name)
                yield name, value


def _is_event(name: str) -> bool:
    return name.endswith("Event")


def _wrong_signals(stand_in: type, name: str, real: str, known: list[str]) -> list[str]:
    """The signatures under which `name` can be connected here but not in Slicer."""
    mapped = [s for kind in stand_in.__mro__ for s in vars(kind).get("cppSignals", {})]
    declared = [s for s in mapped if s.startswith(f"{name}(")]
    if not declared:
        # The class's meta object is replaced, and this one gone, once an instance was connected.
        told = re.split(r"[;\s]+", str(getattr(stand_in, name)))
        declared = [s for s in told if s.startswith(f"{name}(")]
    return [f"{real} has no signal {s}" for s in declared if s not in known]
