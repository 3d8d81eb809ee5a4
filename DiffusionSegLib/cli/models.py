"""`diffusionseg models`: which weights are here, what they are for, whether they are whole."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from DiffusionSegLib.cli import exit_codes
from DiffusionSegLib.cli.opening import add_common_options
from DiffusionSegLib.errors import InputError, ModelError, unknown_name

if TYPE_CHECKING:
    from DiffusionSegLib.backbones.manifest import ModelEntry


def add_parser(subparsers: Any) -> None:
    """Registers the command."""
    parser = subparsers.add_parser("models", help="list, describe or verify the installed models")
    parser.set_defaults(run=run)
    parser.add_argument(
        "action", nargs="?", choices=("list", "info", "verify"), default="list",
        help="list (default); info NAME: everything about one; verify [NAME]: check the files",
    )  # fmt: skip
    parser.add_argument("name", nargs="?", metavar="NAME", help="METHOD/NAME or NAME")
    parser.add_argument("--method", metavar="M", help="only models of this method")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_common_options(parser)


def run(args: argparse.Namespace) -> int:
    """Looks at the folders of models; loads no network."""
    entries = _entries(args)
    if args.action == "verify":
        return _verify(entries, args)
    if args.action == "info":
        _print_info(entries, args)
    elif args.json:
        print(json.dumps([_plain(entry) for entry in entries], indent=2))
    else:
        _print_table(entries)
    return exit_codes.OK


def _entries(args: argparse.Namespace) -> list[ModelEntry]:
    from DiffusionSegLib.backbones.store import ModelStore

    entries = ModelStore().list()
    if args.method:
        entries = _of_method(entries, args.method)
    if args.name is None:
        if args.action == "info":
            raise InputError("Which model? Give its name after 'info'; see 'diffusionseg models'.")
        return entries
    chosen = [entry for entry in entries if args.name in (entry.id, entry.name)]
    if not chosen:
        full = "/" in args.name
        raise unknown_name(
            "model", args.name, [entry.id if full else entry.name for entry in entries]
        )
    return chosen


def _of_method(entries: list[ModelEntry], name: str) -> list[ModelEntry]:
    """Those of a method, or of what models name as theirs and is none, such as backbone."""
    from DiffusionSegLib.methods.registry import method_names

    known = {*method_names(), *(entry.method for entry in entries)}
    if name.lower() not in (method.lower() for method in known):
        raise unknown_name("method", name, known)
    return [entry for entry in entries if entry.method.lower() == name.lower()]


def _print_table(entries: list[ModelEntry]) -> None:
    if not entries:
        print("No model is installed.")
        return
    rows = [("model", "for", "licence", "MB")]
    rows += [
        (
            entry.id + (" (default)" if entry.default else ""),
            entry.title,
            str(entry.licence.name),
            _megabytes(entry),
        )
        for entry in entries
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)]
        print("  ".join([*cells, f"{row[3]:>6}"]))


def _megabytes(entry: ModelEntry) -> str:
    """Of its own files; a model may use another's, or what the hub has."""
    if not entry.files:
        return "-"
    return f"{sum(int(part.size) for part in entry.files) / 1e6:.1f}"


def _print_info(entries: list[ModelEntry], args: argparse.Namespace) -> None:
    plain = [_plain(entry) for entry in entries]
    if args.json:
        print(json.dumps(plain, indent=2))
        return
    for entry in plain:
        for name, value in entry.items():
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            print(f"{name}: {shown}")


def _plain(entry: ModelEntry) -> dict[str, Any]:
    from dataclasses import asdict

    plain: dict[str, Any] = json.loads(json.dumps(asdict(entry), default=str))
    # Hundreds of case names say nothing here; the file has them.
    plain["splits"] = {part: len(cases) for part, cases in dict(entry.splits).items()}
    return plain


def _verify(entries: list[ModelEntry], args: argparse.Namespace) -> int:
    from DiffusionSegLib.backbones.store import ModelStore

    store = ModelStore()
    failures: dict[str, str] = {}
    for entry in entries:
        try:
            store.verify(entry)
        except ModelError as error:
            failures[entry.id] = str(error)
    if args.json:
        print(json.dumps({entry.id: failures.get(entry.id) for entry in entries}, indent=2))
    else:
        for entry in entries:
            usual = "whole" if entry.files else "has no files of its own"
            print(f"{entry.id}: {failures.get(entry.id, usual)}")
    return exit_codes.BAD_INPUT if failures else exit_codes.OK
