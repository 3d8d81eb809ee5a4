"""Settings of a training: one of its presets, with some values changed on the command line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any, TypeVar

from DiffusionSegLib.errors import InputError, unknown_name

__all__ = ["choose_preset", "given_settings", "read_overrides"]

Settings = TypeVar("Settings")


def choose_preset(
    presets: Mapping[str, Settings], preset: str, overrides: Mapping[str, Any]
) -> Settings:
    """Raises InputError for what does not fit. Settings are frozen dataclasses."""
    if preset not in presets:
        raise unknown_name("preset", preset, presets)
    base: Any = presets[preset]
    known = [field.name for field in fields(base)]
    for name in overrides:
        if name not in known:
            raise unknown_name("training setting", name, known)
    for name, value in overrides.items():
        if not _suits(getattr(base, name), value):
            raise InputError(f"The training setting {name} cannot be {value!r}.")
    changed: Settings = replace(base, **overrides)
    return changed


def read_overrides(items: Sequence[str]) -> dict[str, Any]:
    """Of --set NAME=VALUE; values are JSON, or else plain text. Raises InputError."""
    values: dict[str, Any] = {}
    for item in items:
        name, separator, text = item.partition("=")
        if not separator:
            raise InputError(f"--set takes NAME=VALUE, not {item!r}.")
        try:
            values[name] = json.loads(text)
        except json.JSONDecodeError:
            values[name] = text
    return values


def given_settings(settings: Mapping[str, Any], presets: Mapping[str, Any]) -> str:
    """--preset and --set options that say the settings again: those that no preset has are
    written."""
    changed = {
        name: {key: value for key, value in settings.items() if asdict(preset)[key] != value}
        for name, preset in presets.items()
    }
    nearest = min(changed, key=lambda name: len(changed[name]))
    given = "".join(f" --set {key}={_text(value)}" for key, value in changed[nearest].items())
    return f"--preset {nearest}{given}"


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _suits(old: Any, value: Any) -> bool:
    if isinstance(old, str):
        return isinstance(value, str)
    if old is None or isinstance(old, bool):
        return isinstance(value, bool)
    kinds = (int,) if isinstance(old, int) else (int, float)
    return isinstance(value, kinds) and not isinstance(value, bool)
