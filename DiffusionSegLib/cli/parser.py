"""An argument parser whose complaints are one sentence with the nearest valid word."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from DiffusionSegLib.errors import InputError


class Parser(argparse.ArgumentParser):
    """Raises InputError instead of leaving the process; never guesses abbreviated options."""

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("allow_abbrev", False)
        settings.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(**settings)

    def error(self, message: str) -> NoReturn:
        """Called by argparse with its complaint."""
        raise InputError(f"{_with_suggestion(message)}; see '{self.prog} --help'.")

    def parse_strictly(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Like parse_args, but an unknown option is answered with the nearest known one."""
        parsed, unknown = self.parse_known_args(arguments)
        if unknown:
            parser = _active_parser(self, parsed)
            options = [name for name in parser._option_string_actions if name.startswith("--")]
            parser.error(_unknown(unknown[0].split("=")[0], options))
        return parsed


def nearest(word: str, known: Iterable[str]) -> str:
    """Words to append: " (did you mean 'x'?)" or nothing."""
    matches = get_close_matches(word, list(known), n=1)
    return f" (did you mean {matches[0]!r}?)" if matches else ""


def _unknown(word: str, options: Sequence[str]) -> str:
    kind = "the option" if word.startswith("-") else "the extra word"
    return f"{kind} {word!r} is not understood{nearest(word, options)}"


def _with_suggestion(message: str) -> str:
    """Argparse lists the choices; add which of them comes near."""
    found = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
    if not found:
        return message
    choices = [choice.strip(" '") for choice in found.group(2).split(",")]
    return f"{message}{nearest(found.group(1), choices)}"


def _active_parser(root: Parser, parsed: argparse.Namespace) -> Parser:
    """The parser of the chosen subcommand."""
    chosen = getattr(parsed, "parser", None)
    return chosen if isinstance(chosen, Parser) else root
