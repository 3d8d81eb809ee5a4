"""Finds the models that a command line names."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from DiffusionSegLib.backbones.places import missing_folder_note
from DiffusionSegLib.errors import ModelError, UnknownNameError, unknown_name

if TYPE_CHECKING:
    from DiffusionSegLib.backbones.manifest import ModelEntry
    from DiffusionSegLib.backbones.store import BrokenCard, Survey


def chosen(survey: Survey, args: argparse.Namespace) -> list[ModelEntry]:
    """By id or name, in the order given; all (of --method) without names. Raises UnknownNameError,
    and ModelError for a name whose card is broken."""
    entries = list(survey.entries.values())
    if args.method:
        entries = _of_method(entries, survey.broken, args.method)
    if not args.names:
        return entries
    found: dict[str, ModelEntry] = {}
    for name in args.names:
        found |= {entry.id: entry for entry in _named(entries, survey.broken, name)}
    return list(found.values())


def _named(
    entries: Sequence[ModelEntry], broken: Iterable[BrokenCard], name: str
) -> list[ModelEntry]:
    matching = [
        entry for entry in entries if name.lower() in (entry.id.lower(), entry.name.lower())
    ]
    if matching:
        return matching
    for card in broken:
        if name in (card.id, card.id.partition("/")[2]):
            raise ModelError(card.reason)
    names = [entry.name for entry in entries]
    full = "/" in name
    there = [one.id if full or names.count(one.name) > 1 else one.name for one in entries]
    error = unknown_name("model", name, there)
    raise UnknownNameError(f"{error} {missing_folder_note()}".strip())


def _of_method(
    entries: Sequence[ModelEntry], broken: Iterable[BrokenCard], name: str
) -> list[ModelEntry]:
    """Those of a method, or of what models name as theirs and is none, such as backbone."""
    from DiffusionSegLib.methods.registry import method_names

    known = {*method_names(), *(entry.method for entry in entries)}
    known |= {card.id.partition("/")[0] for card in broken}
    if name.lower() not in (method.lower() for method in known):
        raise unknown_name("method", name, known)
    return [entry for entry in entries if entry.method.lower() == name.lower()]
