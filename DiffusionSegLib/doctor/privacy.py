"""Takes out of a text what is nobody else's business: names, folders, addresses, tokens."""

from __future__ import annotations

import getpass
import os
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

__all__ = ["discreet", "discretion"]

# Variables whose values may hold a password, a token or an address inside a hospital.
_SECRET = re.compile(
    r".*(TOKEN|SECRET|PASSW|CREDENTIAL|AUTH|API_?KEY|PROXY|ENDPOINT|MIRROR|INDEX_URL).*", re.I
)
_SHORTEST = 4  # a secret of fewer characters could not be told from words
_USER_IN_ADDRESS = re.compile(r"(?<=://)[^/\s@]+@")
_LISTED = re.compile(r"[=,;\s]+")
_HOST_PARTS = re.compile(r"[:@]")
# An absolute path, or one in the home folder, of three parts or more; no part of an address.
_PATH = re.compile(r"(?<![\w:/\\.~>])(~|[A-Za-z]:)?((?:[/\\][^\s/\\:;,'\"()<>|*?]+){3,})")
_USER_VARIABLES = ("USER", "USERNAME", "LOGNAME", "SUDO_USER")
_HOST_VARIABLES = ("HOSTNAME", "COMPUTERNAME", "HOST", "USERDOMAIN", "LOGONSERVER")
# Accounts that say nothing of a person, and are words of the report too.
_NOBODY = frozenset({"root", "user", "admin", "administrator", "python", "localhost", "workgroup"})


def discretion(
    variables: Mapping[str, str],
    places: Mapping[str, Path] | None = None,
    home: Path | None = None,
    names: Sequence[str] | None = None,
) -> Callable[[str], str]:
    """A function that makes a text fit to be shown to strangers.

    variables: of the environment, whose secrets are looked for; places: folders by the words that
    stand for them; home: shown as "~"; names: of the user and the computer (None: asked for).
    """
    folders = {str(path): f"<{words}>" for words, path in (places or {}).items()}
    folders |= {os.path.realpath(path): words for path, words in folders.items()}
    for name, folder in _spaced_folders(variables):
        folders.setdefault(folder, f"<{name}>")
    own = str(home or os.path.expanduser("~"))  # "~" itself for a user without a home
    for folder in (own, os.path.realpath(own)):
        folders.setdefault(folder, "~")
    hidden = {value: f"<{name}>" for name, value in _secrets(variables)}
    known = _own_names(variables) if names is None else tuple(names)

    def discreet_text(text: str) -> str:
        for value in sorted(hidden, key=len, reverse=True):
            text = text.replace(value, hidden[value])
        text = _USER_IN_ADDRESS.sub("<user>@", text)
        for folder in sorted(folders, key=len, reverse=True):
            text = _replaced(text, folder, folders[folder])
        text = _PATH.sub(_shortened, text)
        for name in known:
            text = re.sub(rf"(?<![\w]){re.escape(name)}(?![\w])", "<name>", text, flags=re.I)
        return text

    return discreet_text


def discreet(value: Any, make: Callable[[str], str]) -> Any:
    """The same for all texts in what JSON can hold, keys included."""
    if isinstance(value, str):
        return make(value)
    if isinstance(value, Mapping):
        return {make(str(key)): discreet(part, make) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [discreet(part, make) for part in value]
    return value


def _secrets(variables: Mapping[str, str]) -> list[tuple[str, str]]:
    """(name, value), and the pieces of values that are lists (HOST=TOKEN,HOST=TOKEN) or addresses
    (SCHEME://USER:PASSWORD@HOST)."""
    found = []
    for name, value in variables.items():
        if _SECRET.fullmatch(name):
            pieces = {value, *_LISTED.split(value)}
            for piece in tuple(pieces):
                _, scheme, rest = piece.partition("://")
                if scheme or "@" in piece:
                    pieces.update(_HOST_PARTS.split((rest or piece).partition("/")[0]))
            found += [(name, piece) for piece in pieces if len(piece) >= _SHORTEST]
    return found


def _spaced_folders(variables: Mapping[str, str]) -> list[tuple[str, str]]:
    """(name, folder): those that could not be told from the words around them in a sentence."""
    return [
        (name, folder)
        for name, value in variables.items()
        for folder in value.split(os.pathsep)
        if " " in folder and os.path.isabs(folder)
    ]


def _own_names(variables: Mapping[str, str]) -> tuple[str, ...]:
    """The user's and the computer's, without those that everybody's have."""
    found = {variables.get(name, "") for name in (*_USER_VARIABLES, *_HOST_VARIABLES)}
    found.add(os.path.basename(os.path.expanduser("~")).lstrip("~"))
    with suppress(OSError, KeyError, ImportError):  # a user may have no name
        found.add(getpass.getuser())
    host = socket.gethostname()
    found |= {host, host.partition(".")[0]}
    names = {name.strip("\\ ") for name in found}
    return tuple(sorted(n for n in names if len(n) > 1 and n.lower() not in _NOBODY))


def _replaced(text: str, folder: str, words: str) -> str:
    """With slashes of either kind; only as whole parts of a path."""
    if len(folder) < 2 or folder.strip("/\\") == "":
        return text
    pattern = r"[/\\]".join(re.escape(part) for part in re.split(r"[/\\]", folder))
    flags = re.I if os.name == "nt" else 0
    return re.sub(rf"(?<!\w){pattern}(?!\.?[\w-])", lambda _: words, text, flags=flags)


def _shortened(match: re.Match[str]) -> str:
    last = re.split(r"[/\\]", match.group(2))[-1]
    return f"{match.group(1) or ''}/.../{last}"
