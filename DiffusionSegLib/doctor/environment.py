"""The isolated environment that the panel can make for the worker."""

from __future__ import annotations

from DiffusionSegLib.backbones.fetching.space import shown_bytes
from DiffusionSegLib.doctor.examined import Examined
from DiffusionSegLib.doctor.section import Problem, Section
from DiffusionSegLib.environments.isolated import default_environment
from DiffusionSegLib.progress import Progress

__all__ = ["TITLE", "section"]

TITLE = "The worker's own environment"
_WRONG = {
    "incomplete": "The worker's own environment was not finished; finish or remove it in the "
    "settings of the DiffusionSeg module.",
    "outdated": "The worker's own environment is of an older version; repair it in the settings "
    "of the DiffusionSeg module.",
}


def section(examined: Examined, progress: Progress) -> Section:
    """That there is none is no problem: any Python with the packages will do."""
    environment = default_environment()
    state, size = environment.state, environment.size_bytes()
    used = examined.command[:1] == environment.command()[:1]
    facts = {"state": state, "bytes": size, "used": used}
    if state == "absent":
        return Section(TITLE, ("absent; it is made from within 3D Slicer.",), (), facts)
    line = f"{state}, {shown_bytes(size)}, {'' if used else 'not '}used here"
    wrong = (Problem(_WRONG[state]),) if state in _WRONG else ()
    return Section(TITLE, (line,), wrong, facts)
