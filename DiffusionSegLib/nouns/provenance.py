"""How a result came to be; it travels into the file and onto the segment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timezone
from typing import Any

from DiffusionSegLib.errors import InputError

__all__ = ["TAG_PREFIX", "Provenance"]

TAG_PREFIX = "DiffusionSeg."


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


@dataclass(frozen=True)
class Provenance:
    """Method, model, weights, prompt, seed, versions, device: enough to repeat the result.

    `prompt`, `versions` and `parameters` hold only what JSON can; `created` is ISO 8601 in UTC.
    `rule` names what turned evidence into the outline where a method has several ways ("clicks:
    Markov maps"); "" when it has one, and in what was written before there were rules.
    `weights_source` names the repositories of the Hugging Face hub that gave the weights, or "".
    """

    method: str
    model: str
    weights_sha256: str = ""
    prompt: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    versions: Mapping[str, str] = field(default_factory=dict)
    device: str = ""
    duration_s: float = 0.0
    parameters: Mapping[str, Any] = field(default_factory=dict)
    licence: str = ""
    created: str = field(default_factory=_now)
    rule: str = ""
    weights_source: str = ""

    def to_dict(self) -> dict[str, Any]:
        """All fields by name."""
        return {part.name: _plain(getattr(self, part.name)) for part in fields(self)}

    def to_json(self) -> str:
        """All fields as one JSON object."""
        return json.dumps(self.to_dict(), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Provenance:
        """The reverse of `to_json`."""
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError) as error:
            raise InputError(f"The provenance cannot be read: {error}.") from error

    def as_tags(self) -> dict[str, str]:
        """Segment tags "DiffusionSeg.method" and so on; no value holds "|" or a line break,
        which 3D Slicer uses as separators."""
        return {TAG_PREFIX + name: _tag_text(value) for name, value in self.to_dict().items()}

    @classmethod
    def from_tags(cls, tags: Mapping[str, str]) -> Provenance | None:
        """The reverse of `as_tags`; None when the tags hold no (readable) provenance."""
        found: dict[str, Any] = {}
        for part in fields(cls):
            if TAG_PREFIX + part.name in tags:
                found[part.name] = _tag_value(part.name, tags[TAG_PREFIX + part.name])
        if "method" not in found or "model" not in found:
            return None
        try:
            return cls(**found)
        except (TypeError, ValueError):
            return None


_TEXTS = frozenset(
    {
        "method", "model", "weights_sha256", "device", "licence", "created", "rule",
        "weights_source",
    }
)  # fmt: skip


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else value


def _tag_text(value: object) -> str:
    if isinstance(value, str) and not value.startswith('"') and _separator_free(value):
        return value
    return json.dumps(value, sort_keys=True).replace("|", "\\u007c")


def _separator_free(text: str) -> bool:
    return text.isprintable() and "|" not in text


def _tag_value(name: str, text: str) -> object:
    if name in _TEXTS and not text.startswith('"'):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
