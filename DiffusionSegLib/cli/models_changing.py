"""Brings models onto this computer and off it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from DiffusionSegLib.cli import exit_codes
from DiffusionSegLib.cli.models_choice import chosen
from DiffusionSegLib.cli.progress_bar import progress_bar
from DiffusionSegLib.errors import InputError

if TYPE_CHECKING:
    from DiffusionSegLib.backbones.fetching.removal import Removal
    from DiffusionSegLib.backbones.manifest import ModelEntry


def run(args: argparse.Namespace) -> int:
    """download, import, export or remove."""
    actions = {"download": _download, "import": _import, "export": _export, "remove": _remove}
    return actions[args.action](args)


def _download(args: argparse.Namespace) -> int:
    from DiffusionSegLib.backbones.fetching.bundle_export import with_used_models
    from DiffusionSegLib.backbones.fetching.download import download_model
    from DiffusionSegLib.backbones.fetching.standing import wants_licence
    from DiffusionSegLib.backbones.store import ModelStore

    store = ModelStore()
    for entry in with_used_models(chosen(store.survey(), args), store):
        if wants_licence(entry) or _needs_anything(entry):
            _ask_licences([entry], args)
        with progress_bar(args.quiet) as progress:
            came = download_model(entry, progress, half=args.half, mirror=args.mirror)
        _say(args, f"{entry.id}: {'downloaded and whole' if came else 'is here and whole'}")
    return exit_codes.OK


def _needs_anything(entry: ModelEntry) -> bool:
    from DiffusionSegLib.backbones.fetching.download import missing_items
    from DiffusionSegLib.progress import Progress

    files, parts = missing_items(entry, False, Progress.silent())
    return bool(files or parts)


def _export(args: argparse.Namespace) -> int:
    from DiffusionSegLib.backbones.fetching.bundle_export import export_bundle, with_used_models
    from DiffusionSegLib.backbones.fetching.space import shown_bytes
    from DiffusionSegLib.backbones.store import ModelStore

    if args.output is None:
        raise InputError("Where to? Give the bundle's name: -o BUNDLE.zip.")
    store = ModelStore()
    entries = with_used_models(chosen(store.survey(), args), store)
    with progress_bar(args.quiet) as progress:
        index = export_bundle(entries, args.output, progress, wheels=args.with_wheels)
    size = shown_bytes(args.output.stat().st_size)
    _say(args, f"Wrote {args.output}: {', '.join(index.models)} ({size}).")
    if args.with_wheels:
        _say(args, f"{len(index.within('wheels'))} packages are in it; INSTALL.txt says how.")
    return exit_codes.OK


def _import(args: argparse.Namespace) -> int:
    from DiffusionSegLib.backbones.fetching.bundle_import import import_bundle, open_bundle
    from DiffusionSegLib.backbones.store import ModelStore

    for name in args.names:
        bundle = open_bundle(Path(name))
        _ask_licences(bundle.entries, args)
        with progress_bar(args.quiet) as progress:
            done = import_bundle(bundle, progress, replace=args.replace)
        new = f"{done.written} files written" if done.written else "everything was here already"
        _say(args, f"Imported {', '.join(done.models)} ({new}).")
        if done.wheels:
            _say(args, f"The packages are in {done.wheels}; INSTALL.txt in the bundle says how "
                       "to install them.")  # fmt: skip
    survey = ModelStore().survey()
    for note in survey.notes():
        print(note, file=sys.stderr)
    return exit_codes.OK


def _remove(args: argparse.Namespace) -> int:
    from DiffusionSegLib.backbones.fetching.removal import folders_of, remove_folders
    from DiffusionSegLib.backbones.fetching.space import shown_bytes
    from DiffusionSegLib.backbones.store import ModelStore

    store = ModelStore()
    survey = store.survey()
    names = {card.id: card.folder for card in survey.broken}
    plans = {name: _broken_plan(names[name]) for name in args.names if name in names}
    args.names = [name for name in args.names if name not in names]
    if args.names:
        plans |= {entry.id: folders_of(entry, store) for entry in chosen(survey, args)}
    for name, plan in plans.items():
        if not plan.folders:
            raise InputError(f"There is nothing to remove of {name}: it came with the program.")
        size = shown_bytes(plan.size)
        if plan.irretrievable:
            _confirm(f"{name} ({size}) cannot be downloaded again. Delete it?", args)
        remove_folders(plan.folders)
        _say(args, f"Removed {name} ({size}).")
        if plan.shared_with:
            _say(args, f"These used the same files, and need a download now: "
                       f"{', '.join(plan.shared_with)}.")  # fmt: skip
    return exit_codes.OK


def _broken_plan(folder: Path) -> Removal:
    from DiffusionSegLib.backbones.fetching.removal import Removal, in_user_folder

    return Removal((folder,) if in_user_folder(folder) else (), (), True)


def _ask_licences(entries: Sequence[ModelEntry], args: argparse.Namespace) -> None:
    """Each that was not accepted before is shown; without a terminal nobody can be asked."""
    from DiffusionSegLib.backbones.fetching.licences import (
        accept_licence,
        check_accepted,
        is_accepted,
        licence_words,
    )

    for entry in entries:
        if is_accepted(entry):
            continue
        if not args.quiet:
            print(licence_words(entry) + "\n", file=sys.stderr)
        if not args.accept_licence:
            if not sys.stdin.isatty():
                check_accepted(entry)
            _agree(f"Do you accept the licence of {entry.id}?")
        accept_licence(entry)


def _confirm(question: str, args: argparse.Namespace) -> None:
    if args.yes:
        return
    if not sys.stdin.isatty():
        raise InputError(f"{question} Say so with --yes; nothing was removed.")
    _agree(question)


def _agree(question: str) -> None:
    print(f"{question} [yes/no] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise InputError("Nothing was done, since the answer was not yes.")


def _say(args: argparse.Namespace, words: str) -> None:
    if not args.quiet:
        print(words)
