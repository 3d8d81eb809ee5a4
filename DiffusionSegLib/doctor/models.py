"""Every model: its state, its size, and whether its files are what its card says."""

from __future__ import annotations

from typing import Any

from DiffusionSegLib.backbones.fetching.hub_copy import read_copy
from DiffusionSegLib.backbones.fetching.hub_parts import hub_parts, used_models
from DiffusionSegLib.backbones.fetching.space import shown_bytes
from DiffusionSegLib.backbones.fetching.standing import standing
from DiffusionSegLib.backbones.manifest import ModelEntry, ModelFile
from DiffusionSegLib.backbones.store import ModelStore, file_path, file_sha256, is_bundled
from DiffusionSegLib.doctor.examined import Examined
from DiffusionSegLib.doctor.section import Problem, Section
from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.progress import Progress

__all__ = ["TITLE", "section"]

TITLE = "Models"
_DIGITS = 12


def section(examined: Examined, progress: Progress) -> Section:
    """Reads all files; of models of several gigabytes that takes a while."""
    survey = ModelStore().survey()
    lines: list[str] = []
    problems: list[Problem] = []
    facts: dict[str, Any] = {}
    for entry in progress.track(list(survey.entries.values()), TITLE):
        told, wrong = _one(entry, progress)
        facts[entry.id] = told
        lines.append(_line(entry, told))
        problems += [Problem(sentence) for sentence in wrong]
    for note in survey.notes():
        lines.append(note)
    problems += [
        Problem(f"{card.reason} Mend this card, or remove its folder.") for card in survey.broken
    ]
    if not survey.entries:
        lines.append("none")
    return Section(TITLE, tuple(lines), tuple(problems), {"models": facts})


def _one(entry: ModelEntry, progress: Progress) -> tuple[dict[str, Any], list[str]]:
    """What is told of a model, and a sentence for everything that is wrong with it."""
    state = standing(entry)
    files = {part.path: _file(entry, part, progress) for part in entry.files}
    copies, wrong = _copies(entry, progress)
    told = {
        "state": state.state,
        "bundled": is_bundled(entry),
        "bytes": sum(part.size for part in entry.files) + entry.needs.disk_bytes,
        "files": files,
        "hub": copies,
    }
    if state.state != "needs download":
        wrong += [
            f"The file {path} of the model {entry.id} {told_of['state']}; install the model again."
            for path, told_of in files.items()
            if told_of["state"] != "as its card says"
        ]
    return told, wrong


def _file(entry: ModelEntry, part: ModelFile, progress: Progress) -> dict[str, str]:
    path = file_path(entry, part)
    expected = part.sha256[:_DIGITS]
    if not path.is_file():
        return {"sha256": expected, "state": "is missing"}
    try:
        found = file_sha256(path, progress)
    except OSError as error:
        return {"sha256": expected, "state": f"cannot be read ({error.strerror})"}
    if found == part.sha256:
        return {"sha256": expected, "state": "as its card says"}
    return {
        "sha256": expected,
        "state": f"differs from its card (sha256 {found[:_DIGITS]} instead of {expected})",
    }


def _copies(entry: ModelEntry, progress: Progress) -> tuple[dict[str, str], list[str]]:
    """Of what it has from the hub: "whole", or what is wrong."""
    found: dict[str, str] = {}
    wrong = []
    for part in hub_parts(entry):
        copy = read_copy(part.source)
        if copy is None or part.source in found:
            continue
        found[part.source] = "whole"
        try:
            copy.check(progress, thorough=True)
        except ModelError as error:
            found[part.source] = "damaged"
            wrong.append(str(error))
    return found, wrong


def _line(entry: ModelEntry, told: dict[str, Any]) -> str:
    state = standing(entry).words if told["state"] == "needs download" else told["state"]
    size = f", {shown_bytes(told['bytes'])}" if told["state"] == "ready" and told["bytes"] else ""
    parts = [f"uses {name}" for name in used_models(entry)]
    origin = "" if told["bundled"] else " (yours)"
    parts += [f"{path} {part['sha256']} {part['state']}" for path, part in told["files"].items()]
    parts += [f"{source} {state}" for source, state in told["hub"].items()]
    return f"{entry.id}{origin}: {state}{size}" + (f"; {'; '.join(parts)}" if parts else "")
