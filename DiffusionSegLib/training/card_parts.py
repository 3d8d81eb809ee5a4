"""Parts that the cards for people of all trained models have alike, as lines of Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["command_lines", "data_lines", "heading_lines", "limits_lines"]


def heading_lines(entry: Mapping[str, Any]) -> list[str]:
    """Title, what it is for, and what it is not."""
    return [
        f"# {entry['title']}",
        "",
        f"{entry['summary']} Generative diffusion, not diffusion MRI.",
        "**Not for clinical use.**",
        "",
    ]


def command_lines(entry: Mapping[str, Any]) -> list[str]:
    """The command that trained it."""
    return ["", "```", str(entry["training"]["command"]), "```", ""]


def data_lines(entry: Mapping[str, Any]) -> list[str]:
    """The table of data sets."""
    rows = ["| " + " | ".join(row) + " |" for row in entry["data"]]
    return ["## Data", "", "| folder | what | licence | cite |", "|---|---|---|---|", *rows, ""]


def limits_lines(entry: Mapping[str, Any]) -> list[str]:
    """Where it must not be trusted; the last part of a card."""
    return ["## Limits", "", str(entry["limits"]), ""]
