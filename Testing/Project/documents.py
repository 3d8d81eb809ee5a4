"""What the README and the documents show: fenced blocks, with the output that is shown for them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from Testing.Project.source import ROOT

__all__ = ["Block", "blocks", "documents", "headings", "name_of"]

_FENCE = re.compile(r"^```(?P<language>[a-z ]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """language: the words after the fence. line: of its first line in the document, from 1.
    expected: the output shown below it, in a block of language text; "" where none is shown."""

    document: Path
    line: int
    language: str
    text: str
    expected: str = ""

    @property
    def title(self) -> str:
        """Where it stands, as an editor opens it."""
        return f"{name_of(self.document)}:{self.line}"

    @property
    def lines(self) -> list[str]:
        """Its lines that are neither empty nor a comment."""
        kept = (line.strip() for line in self.text.splitlines())
        return [line for line in kept if line and not line.startswith("#")]


def documents() -> list[Path]:
    """The README first."""
    return [ROOT / "README.md", *sorted((ROOT / "Resources" / "Documentation").glob("*.md"))]


def name_of(document: Path) -> str:
    """From the checkout's folder."""
    return document.relative_to(ROOT).as_posix()


def blocks(document: Path, *languages: str) -> list[Block]:
    """Of these languages (none: of all), in their order. A block of text directly below another
    one is that one's output, and no block of its own."""
    text = document.read_text("utf-8")
    found: list[Block] = []
    end = 0
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 2
        one = Block(document, line, match["language"].strip(), match["text"])
        between = text[end : match.start()]
        if one.language == "text" and found and _says_only_that_it_prints(between):
            last = found[-1]
            found[-1] = Block(last.document, last.line, last.language, last.text, one.text)
        else:
            found.append(one)
        end = match.end()
    return [one for one in found if not languages or one.language in languages]


def _says_only_that_it_prints(between: str) -> bool:
    """Nothing, or a line such as "prints after some seconds"."""
    words = between.strip()
    return not words or (words.startswith("prints") and "\n" not in words)


def headings(document: Path) -> set[str]:
    """The names by which links reach its headings, as GitHub makes them."""
    text = _FENCE.sub("", document.read_text("utf-8"))
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", title.lower()) for title in titles)
    return {title.strip().replace(" ", "-") for title in plain}
