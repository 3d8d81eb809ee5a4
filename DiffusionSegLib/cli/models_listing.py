"""Shows models: as a table, one in full, or whether their files are whole."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from DiffusionSegLib.cli import exit_codes
from DiffusionSegLib.cli.models_choice import chosen
from DiffusionSegLib.errors import InputError, ModelError

if TYPE_CHECKING:
    from DiffusionSegLib.backbones.fetching.hub_copy import HubCopy
    from DiffusionSegLib.backbones.manifest import ModelEntry
    from DiffusionSegLib.backbones.store import BrokenCard, Survey


_WHOSE = {
    "card": "with the sha256 of the card",
    "hub": "with the hub's sum",
    "bundle": "with the bundle's sum",
    "": "with the sum that they had when they came",
}


def run(args: argparse.Namespace) -> int:
    """list, info or verify."""
    from DiffusionSegLib.backbones.store import ModelStore

    survey = ModelStore().survey()
    if args.action == "info" and not args.names:
        raise InputError("Which model? Give its name after 'info'; see 'diffusionseg models'.")
    entries = chosen(survey, args)
    broken = [] if args.names else _of_method(survey.broken, args.method)
    if args.action == "verify":
        return _verify(entries, broken, args)
    if args.json:
        plain = [_plain(entry, survey) for entry in entries]
        print(json.dumps(plain + [_plain_broken(card) for card in broken], indent=2))
    elif args.action == "info":
        _print_info(entries, survey)
    else:
        _print_table(entries, broken)
        _print_notes(entries, broken, survey)
    return exit_codes.OK


def _of_method(broken: Sequence[BrokenCard], method: str | None) -> list[BrokenCard]:
    return [
        card
        for card in broken
        if method is None or card.id.partition("/")[0].lower() == method.lower()
    ]


def _print_table(entries: Sequence[ModelEntry], broken: Sequence[BrokenCard]) -> None:
    if not entries and not broken:
        print("No model is installed.")
        return
    rows = [("model", "for", "licence", "state", "MB")]
    rows += [_row(entry) for entry in entries]
    rows += [(card.id, "", "", "BROKEN", "-") for card in broken]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)]
        print("  ".join([*cells, f"{row[4]:>6}"]))


def _row(entry: ModelEntry) -> tuple[str, str, str, str, str]:
    from DiffusionSegLib.backbones.fetching.standing import standing

    name = entry.id + (" (default)" if entry.default else "")
    return name, entry.title, entry.licence.name, standing(entry).state, _megabytes(entry)


def _megabytes(entry: ModelEntry) -> str:
    """Of its own files and of what it has from the hub; a model may use another's."""
    size = sum(part.size for part in entry.files) + entry.needs.disk_bytes
    return f"{size / 1e6:.1f}" if entry.files or size else "-"


def _print_notes(
    entries: Sequence[ModelEntry], broken: Sequence[BrokenCard], survey: Survey
) -> None:
    """What is wrong, and which of two models of the same id is used."""
    from DiffusionSegLib.backbones.places import missing_folder_note
    from DiffusionSegLib.backbones.store import hidden_note

    notes = [missing_folder_note()] if missing_folder_note() else []
    notes += [f"BROKEN {card.id}: {card.reason}" for card in broken]
    for entry in entries:
        notes += [hidden_note(entry, other) for other in survey.hidden.get(entry.id, ())]
    if notes:
        print("\n" + "\n".join(notes))


def _print_info(entries: Sequence[ModelEntry], survey: Survey) -> None:
    for number, entry in enumerate(entries):
        if number:
            print()
        for name, value in _plain(entry, survey).items():
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            print(f"{name}: {shown}")


def _plain(entry: ModelEntry, survey: Survey) -> dict[str, Any]:
    from dataclasses import asdict

    from DiffusionSegLib.backbones.fetching.hub_parts import came_from, hub_parts
    from DiffusionSegLib.backbones.fetching.licences import is_accepted
    from DiffusionSegLib.backbones.fetching.standing import standing
    from DiffusionSegLib.backbones.store import hidden_note

    plain: dict[str, Any] = json.loads(json.dumps(asdict(entry), default=str))
    del plain["store"]  # which says where this model was looked for, and nothing of it
    # Hundreds of case names say nothing here; the file has them.
    plain["splits"] = {part: len(cases) for part, cases in dict(entry.splits).items()}
    now = standing(entry)
    plain |= {"state": now.state, "download_bytes": now.download_bytes}
    plain["hub"] = [[part.source, *part.alternatives] for part in hub_parts(entry)]
    plain["came_from"] = came_from(entry)
    plain["licence_accepted"] = is_accepted(entry)
    plain["notes"] = [hidden_note(entry, other) for other in survey.hidden.get(entry.id, ())]
    return plain


def _plain_broken(card: BrokenCard) -> dict[str, Any]:
    return {"id": card.id, "folder": str(card.folder), "state": "broken", "notes": [card.reason]}


def _verify(
    entries: Sequence[ModelEntry], broken: Sequence[BrokenCard], args: argparse.Namespace
) -> int:
    told = {entry.id: _problem(entry) for entry in entries}
    failures = {name: problem for name, (problem, _) in told.items() if problem}
    failures |= {card.id: card.reason for card in broken}
    names = [*told, *(card.id for card in broken)]
    if args.json:
        print(json.dumps({name: failures.get(name) for name in names}, indent=2))
    else:
        for name in names:
            print(f"{name}: {failures.get(name) or told[name][1]}")
    return exit_codes.BAD_INPUT if failures else exit_codes.OK


def _problem(entry: ModelEntry) -> tuple[str, str]:
    """What is wrong, and what is said where nothing is."""
    from DiffusionSegLib.backbones.fetching.hub_copy import read_copy
    from DiffusionSegLib.backbones.fetching.hub_parts import hub_parts
    from DiffusionSegLib.backbones.fetching.standing import standing
    from DiffusionSegLib.backbones.store import ModelStore

    copies: list[HubCopy] = []
    try:
        for part in hub_parts(entry):
            copy = read_copy(part.source)
            if copy is not None:
                part.check(copy)
                copies.append(copy)
        now = standing(entry)
        if now.state == "needs download":
            return "", now.words
        ModelStore().verify(entry)
        for copy in copies:
            copy.check(thorough=True)
    except ModelError as error:
        return str(error), ""
    if not entry.files and not copies:
        return "", "has no files of its own"
    return "", f"whole{_compared(copies)}"


def _compared(copies: Sequence[HubCopy]) -> str:
    """Of files from the hub: who gave them, and whose sums they had when they came."""
    if not copies:
        return ""
    gave = ", ".join(dict.fromkeys(copy.gave for copy in copies))
    checked = [one.checked for copy in copies for one in copy.files]
    told = [f"{checked.count(who)} {words}" for who, words in _WHOSE.items() if who in checked]
    return f" (from {gave}; files: {', '.join(told)})"
