"""Latest wins: which requests a newer one makes needless. Client and worker agree on it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["OUTLINES", "SUPERSEDED", "supersedes"]

SUPERSEDED = "A newer request took its place."
OUTLINES = ("propose", "refine")


def supersedes(newer: Mapping[str, Any], older: Mapping[str, Any]) -> bool:
    """Both are request headers with "kind", "setup", "key" and "region".

    An outline takes the place of any outline and estimate, and of preparations for something else;
    a preparation that of one for something else; an estimate that of an estimate.
    """
    new, old = newer["kind"], older["kind"]
    if new in OUTLINES:
        return old in (*OUTLINES, "estimate") or (old == "prepare" and _differ(newer, older))
    if new == "prepare":
        return old == "prepare" and _differ(newer, older)
    return new == old == "estimate"


def _differ(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return _target(one) != _target(other)


def _target(header: Mapping[str, Any]) -> str:
    """As text, because a region looks different before and after it travelled as JSON."""
    setup = header["setup"]
    network = [setup[name] for name in ("method", "model", "device")]
    return json.dumps([*network, header["key"], header["region"]])
