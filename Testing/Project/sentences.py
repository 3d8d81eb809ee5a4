"""Every sentence that the program can say, as a pattern, read from the source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

from Testing.Project.source import ROOT, python_files

__all__ = ["is_in_the_source", "same"]

_ANY = "\0"  # stands for a value
_LEAST_SHARE = 0.45  # of a sentence that the source's own words must make up


def same(quoted: str, said: str) -> bool:
    """Whether a quoted sentence is the one that was said; … stands for anything."""
    return re.fullmatch(_pattern(quoted.replace("…", _ANY)), said, re.DOTALL) is not None


@cache
def is_in_the_source(sentence: str) -> bool:
    """Whether one text of the source, its values filled in, is this sentence; pieces in order."""
    return any(
        len(text.replace(_ANY, "")) >= _LEAST_SHARE * len(sentence)
        and re.fullmatch(_pattern(text), sentence, re.DOTALL)
        for text in _texts()
    )


def _pattern(text: str) -> str:
    return ".*".join(re.escape(part) for part in text.split(_ANY))


@cache
def _texts() -> tuple[str, ...]:
    found = set(_of_makefile())
    for path in python_files("DiffusionSegLib", "DiffusionSeg"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.expr) and (text := _text(node)):
                found.add(text)
    return tuple(sorted(found))


def _text(node: ast.expr) -> str:
    """A text with its values as _ANY; "" for what is none. `{name}` is a value too: see tr."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"\{\w*\}", _ANY, node.value)
    if isinstance(node, ast.JoinedStr):
        parts = (one.value if isinstance(one, ast.Constant) else _ANY for one in node.values)
        return "".join(str(part) for part in parts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text(node.left), _text(node.right)
        return f"{left or _ANY}{right or _ANY}" if left or right else ""
    return ""


def _of_makefile() -> Iterator[str]:
    for line in (ROOT / "Makefile").read_text("utf-8").splitlines():
        for double, single in re.findall(r"echo (?:\"(.+?)\"|'(.+?)')[;\\ ]", line):
            yield re.sub(r"\$\$\('\$\(PYTHON\)'[^)]*\)|\$\(\w+\)", _ANY, double or single)
