"""What pip writes, as progress and as sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from urllib.parse import unquote

from DiffusionSegLib.backbones.fetching.space import shown_bytes
from DiffusionSegLib.errors import DiffusionSegError, InputError, OutputError

__all__ = ["PipWords", "failure", "lacks_version"]

_WHEEL = re.compile(r"(?:^|[/\s])([^/\s]+?)-[^/\s]*\.whl")
_SIZE = re.compile(r"\(([\d.]+) (bytes|kB|MB|GB)\)")
_UNITS = {"bytes": 1, "kB": 1000, "MB": 10**6, "GB": 10**9}
_NO_WHEEL = "No matching distribution|ResolutionImpossible|not a supported wheel|Requires-Python"
# An index that answers has some version of every package for every Python that is chosen here.
_NO_ANSWER = r"\(from versions: (none)?\)"
_TELLING = re.compile(r"error|errno|no matching|could not|failed|cannot|not supported|denied", re.I)


class PipWords:
    """Follows an installation line by line. expected_bytes: of all its downloads, about."""

    _INSTALLING = 0.85

    def __init__(self, expected_bytes: int) -> None:
        self._expected = max(expected_bytes, 1)
        self._done = self._current = 0
        self._installing: list[str] = []
        self.stage = "Starting pip"

    def hear(self, line: str) -> None:
        """A line of pip's."""
        text = line.strip()
        word, _, rest = text.partition(" ")
        if word == "Collecting":
            self._finish_download()
            self.stage = f"Looking for {_requirement_name(rest)}"
        elif word == "Downloading" or text.startswith("Using cached"):
            self._finish_download()
            if ".metadata" in text:
                return
            size = _size(text)
            if word == "Downloading":
                self._current = size
                self.stage = f"Downloading {_wheel_name(text)} ({shown_bytes(size)})"
            else:
                self._done += size
                self.stage = f"Taking {_wheel_name(text)} from an earlier download"
        elif word == "Processing":
            self._finish_download()
            self.stage = f"Reading {_wheel_name(text)}"
        elif text.startswith("Installing collected packages:"):
            self._finish_download()
            self._installing = [one.strip() for one in text.partition(":")[2].split(",")]
            self.stage = f"Installing {_list(self._installing)}"

    def fraction(self, arrived_bytes: int, installed: int) -> float:
        """Of the whole. arrived_bytes: of the download that runs; installed: packages so far."""
        if self._installing:
            share = min(1.0, installed / len(self._installing))
            return self._INSTALLING + (1.0 - self._INSTALLING) * share
        arrived = self._done + min(arrived_bytes, self._current)
        return self._INSTALLING * min(1.0, arrived / self._expected)

    def words(self, arrived_bytes: int, installed: int = 0) -> str:
        """The stage, with what has arrived of a large download, or is done of many packages."""
        if self._installing and installed:
            return f"{self.stage}, {min(installed, len(self._installing))} done"
        if self._current > 10**7 and arrived_bytes:
            return f"{self.stage}, {shown_bytes(min(arrived_bytes, self._current))} so far"
        return self.stage

    def _finish_download(self) -> None:
        self._done, self._current = self._done + self._current, 0


def lacks_version(lines: Sequence[str]) -> bool:
    """Whether the index answered, and has the package but not that version or build."""
    text = "\n".join(lines)
    found = re.search(r"\(from versions: ([^)]*)\)", text)
    return "ResolutionImpossible" in text or bool(found and found[1].strip() not in ("", "none"))


def failure(lines: Sequence[str], what: str, where: str, offline: bool) -> DiffusionSegError:
    """Why pip failed, from its last lines. what: "torch"; where: the Python and its version;
    offline: it was told to use a folder of wheels only."""
    text = "\n".join(lines)
    last = _last(lines)
    for pattern, make in _CAUSES:
        if re.search(pattern, text, re.IGNORECASE):
            return make(what, where, last)
    if not offline and re.search(_NO_ANSWER, text):
        return _no_network(what, where, last)
    if re.search(_NO_WHEEL, text):
        return _no_wheel(text, what, where, last, offline)
    return InputError(
        f"pip could not install {what} into {where}. Its last words: {last}. Start again; what has "
        "come so far is kept."
    )


def _no_wheel(text: str, what: str, where: str, last: str, offline: bool) -> InputError:
    found = re.search(
        r"No matching distribution found for ([^\s;(]+)|Cannot install (.+?) because", text
    )
    name = (found[1] or found[2]) if found else what
    if offline:
        return InputError(
            f"The folder of wheels has no {name} for {where} ({last}). Make the bundle again on a "
            "computer with the same system and the same version of Python: 'diffusionseg models "
            "export --with-wheels'."
        )
    return InputError(
        f"There is no package {name} for {where} ({last}). Install another version of Python "
        "(3.12 is a good choice) from https://www.python.org/downloads/, and try again."
    )


def _full(what: str, where: str, last: str) -> DiffusionSegError:
    return OutputError(
        f"The disk became full while {what} was installed into {where}. Free some space and start "
        "again: what has come so far is kept. DIFFUSIONSEG_ENVIRONMENT may name a folder on "
        "another disk."
    )


def _proxy_login(what: str, where: str, last: str) -> DiffusionSegError:
    return InputError(
        f"The proxy of this network asks for a login (407), so that {what} could not be fetched. "
        "Set HTTPS_PROXY to http://NAME:PASSWORD@HOST:PORT before starting, or install from an "
        "offline bundle."
    )


def _no_proxy(what: str, where: str, last: str) -> DiffusionSegError:
    return InputError(
        f"The proxy that HTTPS_PROXY or pip's settings name does not answer, so that {what} could "
        f"not be fetched ({last}). Correct its address, or install from an offline bundle."
    )


def _certificate(what: str, where: str, last: str) -> DiffusionSegError:
    return InputError(
        f"The certificate of the server is not trusted, so that {what} could not be fetched: "
        "networks of hospitals often look into encrypted connections. Set PIP_CERT to the file "
        "with your network's certificate, or install from an offline bundle."
    )


def _no_network(what: str, where: str, last: str) -> DiffusionSegError:
    return InputError(
        f"The network does not reach the packages, so that {what} could not be fetched ({last}). "
        "Check the connection and the proxy (HTTPS_PROXY, PIP_INDEX_URL) and start again: what has "
        "come so far is kept. Without a network, install from an offline bundle."
    )


def _long_path(what: str, where: str, last: str) -> DiffusionSegError:
    return InputError(
        f"A path became too long for Windows while {what} was installed into {where}. Switch long "
        "paths on (https://pip.pypa.io/warnings/enable-long-paths), or set "
        "DIFFUSIONSEG_ENVIRONMENT to a short folder such as C:\\DiffusionSeg."
    )


def _denied(what: str, where: str, last: str) -> DiffusionSegError:
    return OutputError(
        f"A file could not be written while {what} was installed into {where} ({last}). Close "
        "other windows of Slicer and what else may use it, look whether a virus scanner holds it, "
        "and start again."
    )


def _damaged(what: str, where: str, last: str) -> DiffusionSegError:
    return InputError(
        f"A file of {what} arrived damaged ({last}). Start again; a proxy or a virus scanner may "
        "have changed it."
    )


_Maker = Callable[[str, str, str], DiffusionSegError]
_CAUSES: tuple[tuple[str, _Maker], ...] = (
    (r"No space left on device|Errno 28\b|Errno 122\b|Disk quota exceeded|WinError 112\b", _full),
    (r"\b407\b|Proxy Authentication Required", _proxy_login),
    (r"ProxyError|Cannot connect to proxy", _no_proxy),
    (r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError", _certificate),
    (r"WinError 206|filename or extension is too long|Windows Long Path support", _long_path),
    (r"DO NOT MATCH THE HASHES|invalid wheel|BadZipFile|has an invalid|IncompleteRead|"
     r"Bad CRC|zipfile\.", _damaged),
    (r"NewConnectionError|NameResolutionError|Failed to establish|name resolution|getaddrinfo|"
     r"ConnectTimeoutError|ReadTimeoutError|Network is unreachable|Connection refused|"
     r"Connection reset|ConnectionResetError|Name or service not known|Max retries exceeded|"
     r"Connection aborted|Read timed out", _no_network),
    (r"Permission denied|Errno 13\b|WinError 5\b|WinError 32\b|Read-only file system", _denied),
)  # fmt: skip


def _last(lines: Sequence[str]) -> str:
    """The line that tells most, at most 300 characters."""
    telling = [line for line in lines if _TELLING.search(line)] or list(lines)
    if not telling:
        return "nothing"
    errors = [line for line in telling if line.startswith("ERROR")] or telling
    return errors[-1].removeprefix("ERROR:").strip().rstrip(".")[:300]


def _size(text: str) -> int:
    found = _SIZE.search(text)
    return int(float(found[1]) * _UNITS[found[2]]) if found else 0


def _wheel_name(text: str) -> str:
    found = _WHEEL.search(unquote(text))
    return found[1].rpartition(" ")[2] if found else "a package"


def _requirement_name(text: str) -> str:
    return re.split(r"[<>=!~;\[\s(]", text, maxsplit=1)[0] or "a package"


def _list(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} packages"
