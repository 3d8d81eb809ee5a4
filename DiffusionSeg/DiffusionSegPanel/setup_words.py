"""What the page for setting up says, in whole sentences."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

from slicer.i18n import tr as _

from DiffusionSegLib.backbones.fetching.space import shown_bytes
from DiffusionSegLib.environments.constraints import slicer_constraints
from DiffusionSegLib.environments.packages import EXTRAS, Package, missing, packages
from DiffusionSegLib.environments.plans import free_bytes

__all__ = [
    "atEnd", "extraIn", "extraTitle", "introduction", "packageNames", "planForSlicer",
    "removalOfEnvironment", "removalOfEverything", "whatStays", "whereItRuns",
]  # fmt: skip

_EXTRA = re.compile(r"DiffusionSeg\[(\w+)\]")
_MISSING = re.compile(r"Python package ([\w.-]+)[ ,]")


def packageNames(found: Sequence[Package]) -> str:
    """ "torch, safetensors and rich" """
    names = [re.split(r"[^\w.-]", one.requirement, maxsplit=1)[0] for one in found]
    if len(names) < 2:
        return "".join(names)
    return _("{first} and {last}").format(first=", ".join(names[:-1]), last=names[-1])


def introduction(lacking: Sequence[Package], python: str, isOpened: bool) -> str:
    """Why the page is there; "" when its findings say it."""
    if lacking:
        return _(
            "DiffusionSeg computes with Python packages that are not here yet: {names} ({python}). "
            "Nothing is installed before you press Install."
        ).format(names=packageNames(lacking), python=python)
    if isOpened:
        return _("What DiffusionSeg computes with, and what can be added to it or removed.")
    return ""


def extraTitle(title: str, extra: str) -> str:
    """The check box of an extra, with its size."""
    own = sum(one.download_bytes for one in packages([extra]) if one.extra)
    return _("{title} (about {size})").format(title=title, size=shown_bytes(own))


def planForSlicer(extras: Collection[str], python: str, folder: Any, isUsed: bool) -> str:
    """What would go into Slicer's own Python, how large it is, and why each package is needed."""
    lacking = missing(extras)
    if not lacking:
        text = _("Nothing is missing in {python}.").format(python=python)
    else:
        size, free = sum(one.download_bytes for one in lacking), free_bytes(folder)
        room = "" if free is None else _(" {free} are free there.").format(free=shown_bytes(free))
        why = "\n".join(
            _("{name}: {why}").format(name=packageNames([one]), why=one.why) for one in lacking
        )
        text = _(
            "Into {python}: about {size} are downloaded, more for a torch that uses a GPU (up to "
            "3 GB), and up to five times as much disk is used.{room}\n{why}\nSlicer asks before."
        ).format(python=python, size=shown_bytes(size), room=room, why=why)
    if isUsed:
        return text
    return _(
        "{text}\nDiffusionSeg uses its own environment as long as that is ready; remove it to use "
        "Slicer's Python."
    ).format(text=text)


def atEnd(command: str) -> tuple[str, ...]:
    """What becomes of a worker command that was typed."""
    if not command:
        return ()
    words = _("It is then used in place of the worker command in Settings ({command}).")
    return (words.format(command=command),)


def removalOfEnvironment(folder: Any, size: int) -> str:
    """What the first press of Remove environment says."""
    return _(
        "To be deleted: {folder}, {size}. Afterwards the worker runs in Slicer's own Python."
    ).format(folder=folder, size=shown_bytes(size))


def removalOfEverything(items: Sequence[Any]) -> str:
    """What the first press of Remove everything says."""
    rows = [
        _("{title}: {size} ({path})").format(
            title=one.title, size=shown_bytes(one.bytes), path=one.path
        )
        for one in items
    ]
    total = shown_bytes(sum(one.bytes for one in items))
    settings = _("Also the settings of DiffusionSeg in Slicer.")
    head = _("To be deleted, {total}:").format(total=total)
    return "\n".join([head, *rows, settings, "", whatStays()])


def whatStays() -> str:
    """Packages in Slicer's own Python are not touched: who else needs them cannot be known."""
    gone = {one.module for one in missing(EXTRAS)}
    shipped = slicer_constraints().lower()
    here = [
        one
        for one in packages(EXTRAS)
        if one.module not in gone and f"{packageNames([one]).lower()}==" not in shipped
    ]
    return _(
        "What stays: the extension itself, and packages in Slicer's own Python, since others may "
        "use them ({names}). To remove one, type in the Python console: "
        "slicer.util.pip_uninstall('NAME'); for torch open the module PyTorch Utils."
    ).format(names=packageNames(here) or _("none"))


def whereItRuns(command: str, environment: Any, python: str) -> tuple[str, str]:
    """The line under the worker command in Settings, and its tool tip, the full path.

    environment: the one in use, or None.
    """
    if command:
        return "", ""
    if environment is not None:
        return _("Uses an environment of its own"), str(environment.folder)
    return _("Uses Slicer's own Python"), python


def extraIn(sentence: str) -> str | None:
    """Which extra an error asks for: "text", "hub", "" for what is always needed; None for none."""
    named = _EXTRA.search(sentence)
    if named is not None and named[1] in EXTRAS:
        return named[1]
    package = _MISSING.search(sentence)
    if package is None:
        return None
    return next((one.extra for one in packages(EXTRAS) if _isNamed(one, package[1])), None)


def _isNamed(package: Package, name: str) -> bool:
    names = {package.module, re.split(r"[^\w.-]", package.requirement, maxsplit=1)[0]}
    return name.lower() in {one.lower() for one in names}
