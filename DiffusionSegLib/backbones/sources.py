"""Where a model's files can be had, as its card says it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from DiffusionSegLib.errors import InputError

__all__ = ["HUB_ID", "Source", "in_source", "read_sources", "web_address"]

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(@[\w./-]+)?")
_KINDS = ("hub", "url", "folder")


@dataclass(frozen=True)
class Source:
    """kind: "hub" (a repository "org/name" or "org/name@revision"), "url" or "folder".

    path: of the file in the repository or the folder; "" where the model's own path holds.
    """

    kind: str
    where: str
    path: str = ""

    def __str__(self) -> str:
        return f"{self.where}:{self.path}" if self.path else self.where


def read_sources(values: Any) -> tuple[Source, ...]:
    """Of a card's "sources": [{"hub": ...} or {"url": ...} or {"folder": ...}, ...], best first.

    Raises ValueError that says what is wrong.
    """
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise ValueError(f"the sources are a list, not {values!r}")
    return tuple(_source(one) for one in values)


def in_source(source: Source, path: str) -> Source:
    """The source of one file out of the source of a whole model: a URL is a folder's."""
    if source.kind == "url":
        return Source("url", f"{source.where.rstrip('/')}/{quote(path)}")
    return Source(source.kind, source.where, source.path or path)


def web_address(text: str) -> str:
    """The address of a mirror; raises InputError for what is none."""
    try:
        good = _is_web(text)
    except ValueError:
        good = False
    if not good:
        raise InputError(
            f"{text!r} is no address of a mirror; it begins with https:// or http://, as "
            "https://models.example.org/diffusionseg."
        )
    return text


def _source(values: Any) -> Source:
    if not isinstance(values, Mapping) or not set(values) <= {*_KINDS, "path"}:
        raise ValueError(f"a source is one of {', '.join(_KINDS)} (and a path), not {values!r}")
    kinds = [kind for kind in _KINDS if kind in values]
    if len(kinds) != 1:
        raise ValueError(f"a source has exactly one of {', '.join(_KINDS)}; found was {values!r}")
    where, path = values[kinds[0]], values.get("path", "")
    if not isinstance(where, str) or not where.strip() or not isinstance(path, str):
        raise ValueError(f"a source and its path are texts; found was {values!r}")
    if kinds[0] == "hub" and not HUB_ID.fullmatch(where):
        raise ValueError(f"{where!r} is no hub id of the form organization/name")
    if kinds[0] == "url" and not _is_web(where):
        raise ValueError(f"{where!r} is no address that begins with https:// or http://")
    if not (where + path).isprintable():
        raise ValueError(f"the source {where!r} holds what cannot be printed")
    if ".." in path.split("/") or path.startswith("/") or "\\" in path:
        raise ValueError(f"the path {path!r} lies outside its source")
    return Source(kinds[0], where, path)


def _is_web(text: str) -> bool:
    if not text.isprintable() or " " in text:
        return False
    parts = urlsplit(text)  # raises ValueError of its own
    return parts.scheme in ("http", "https") and bool(parts.hostname)
