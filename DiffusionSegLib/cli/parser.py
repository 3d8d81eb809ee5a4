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
        """Like parse_args, but an unknown option is answered with the nearest known one.

        Argparse would first complain of required options that are missing, which a misspelt one
        is bound to cause.
        """
        command = self._command(arguments)
        for word in arguments:
            if word == "--" or command._leaves_a_rest():
                break
            name, _, value = word.partition("=")
            if name.startswith("--") and name not in command._option_string_actions:
                command._refuse(word)
            if name.startswith("-") and value == "--":
                # Argparse would drop this value without a word.
                command.error(f"the option {name} takes no value '--'")
        parsed, unknown = self.parse_known_args(arguments)
        if unknown:
            command._refuse(unknown[0])
        return parsed

    def _command(self, arguments: Sequence[str]) -> Parser:
        """The parser of the subcommand that the words begin with, or this one."""
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction) and arguments:
                found = action.choices.get(arguments[0])
                return found if isinstance(found, Parser) else self
        return self

    def _leaves_a_rest(self) -> bool:
        """Whether the rest of the line belongs to somebody else."""
        return any(action.nargs == argparse.REMAINDER for action in self._actions)

    def _refuse(self, word: str) -> NoReturn:
        name = word.split("=")[0]
        kind = "the option" if name.startswith("-") else "the extra word"
        options = [option for option in self._option_string_actions if option.startswith("--")]
        self.error(f"{kind} {name!r} is not understood{nearest(name, options)}")


def nearest(word: str, known: Iterable[str]) -> str:
    """Words to append: " (did you mean 'x'?)" or nothing."""
    matches = get_close_matches(word, list(known), n=1)
    return f" (did you mean {matches[0]!r}?)" if matches else ""


def _with_suggestion(message: str) -> str:
    """Argparse lists the choices; add which of them comes near."""
    found = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
    if not found:
        return message
    choices = [choice.strip(" '") for choice in found.group(2).split(",")]
    return f"{message}{nearest(found.group(1), choices)}"
