"""A licence is accepted once per model, before its weights are fetched; the user has the record."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from DiffusionSegLib.backbones.fetching.space import make_folder
from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.backbones.places import user_folder
from DiffusionSegLib.errors import ModelError, OutputError
from DiffusionSegLib.io.atomic import atomic_file

__all__ = ["accept_licence", "check_accepted", "is_accepted", "licence_words"]

_RECORD = "licences.json"


def licence_words(entry: ModelEntry) -> str:
    """What is shown before it is accepted."""
    licence = entry.licence
    use = "allowed" if licence.commercial else "NOT allowed"
    lines = [
        f"{entry.id}: {entry.title}",
        f"Licence of its weights: {licence.name}",
        f"Commercial use: {use}",
    ]
    lines += [f"Read it: {licence.url}"] if licence.url else []
    lines += [f"Attribution: {entry.attribution}"] if entry.attribution else []
    lines += [f"Limits: {entry.limits}"] if entry.limits else []
    return "\n".join(lines + (["", licence.text] if licence.text else []))


def is_accepted(entry: ModelEntry) -> bool:
    """Whether the user accepted this licence for this model; another text is another licence."""
    told = _record().get(entry.id)
    return isinstance(told, dict) and told.get("fingerprint") == _fingerprint(entry)


def accept_licence(entry: ModelEntry) -> None:
    """Keep in the folder of models that it was accepted, and when. Raises OutputError."""
    record = _record()
    record[entry.id] = {
        "licence": entry.licence.name,
        "url": entry.licence.url,
        "fingerprint": _fingerprint(entry),
        "accepted": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    make_folder(user_folder())
    try:
        with atomic_file(_file()) as stream:
            stream.write((json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode())
    except OutputError as error:
        raise OutputError(
            f"{error} It is the folder of models; set DIFFUSIONSEG_MODELS to one that you may "
            "write to."
        ) from error


def check_accepted(entry: ModelEntry) -> None:
    """Raises ModelError when the licence was not accepted yet."""
    if not is_accepted(entry):
        raise ModelError(
            f"The licence of the model {entry.id} ({entry.licence.name}) has to be accepted once "
            f"before its weights are used: 'diffusionseg models download {entry.id}' shows it "
            "and asks; with --accept-licence it does not ask."
        )


def _fingerprint(entry: ModelEntry) -> str:
    licence = entry.licence
    words = json.dumps([licence.name, licence.url, licence.commercial, licence.text])
    return hashlib.sha256(words.encode()).hexdigest()


def _file() -> Path:
    return user_folder() / _RECORD


def _record() -> dict[str, Any]:
    """Empty when there is none that can be read."""
    try:
        values = json.loads(_file().read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}
