"""What a run will cost, on the command line."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from DiffusionSegLib.planning.plan import Plan

__all__ = ["print_plan", "tell_plan"]


def print_plan(plan: Plan, as_json: bool) -> None:
    """For who asked for nothing else: on stdout."""
    if as_json:
        print(json.dumps(plan.to_dict(), indent=2))
        return
    print(f"{plan.words}.")
    if plan.seconds is None:
        print("The model's card does not tell what a run costs; the first run will show it.")


def tell_plan(plan: Plan, quiet: bool) -> None:
    """Before a run, on stderr; nothing where nothing is known."""
    known = plan.seconds is not None or plan.memory_bytes is not None or plan.adjusted
    if known and not quiet:
        print(f"{plan.words}.", file=sys.stderr)
