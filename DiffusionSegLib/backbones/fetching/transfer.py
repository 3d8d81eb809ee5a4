"""One file from one address: to a partial file, resumed, checked, and only then put in place."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from urllib.request import Request

import DiffusionSegLib
from DiffusionSegLib.backbones.fetching.pace import LowestPace
from DiffusionSegLib.backbones.fetching.reader import Answer, NetworkFailure, Refusal, read_answer
from DiffusionSegLib.backbones.fetching.space import check_space, disk_error, shown_bytes
from DiffusionSegLib.backbones.fetching.tokens import url_token
from DiffusionSegLib.backbones.store import file_sha256
from DiffusionSegLib.progress import Progress

__all__ = ["Patience", "SourceFailure", "Wanted", "fetch_url", "partial_path", "put_in_place"]

_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_MEANING = {
    401: "it wants a token; set DIFFUSIONSEG_TOKENS=host=token, or accept its terms first",
    403: "it does not let you; a token or an accepted licence may be missing",
    404: "it has no such file",
    410: "it has no such file any more",
    407: "the proxy wants a password; put it into HTTPS_PROXY",
    429: "too many downloads just now",
    503: "it is overloaded",
}


class SourceFailure(Exception):
    """This source did not give the file; another may."""


@dataclass(frozen=True)
class Wanted:
    """A file to have: target is its place, size its bytes, sha256 what it must be."""

    target: Path
    size: int
    sha256: str


@dataclass(frozen=True)
class Patience:
    """attempts: in a row that brought nothing, or too little for their time; first_wait_s doubles
    from one to the next up to longest_wait_s; stall_s: silence after which a connection is given
    up; lowest: pace below which it is."""

    attempts: int = 5
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    stall_s: float = 30.0
    lowest: LowestPace = field(default_factory=LowestPace)

    @staticmethod
    def of_environment() -> Patience:
        """With the lowest pace of DIFFUSIONSEG_SLOWEST; raises InputError."""
        return Patience(lowest=LowestPace.of_environment())

    def wait_s(self, failed: int, asked_s: float | None) -> float:
        """After so many failures; a server that asks for more time gets it."""
        own = self.first_wait_s * 2.0 ** (failed - 1)
        return min(max(own, asked_s or 0.0), self.longest_wait_s)


def partial_path(wanted: Wanted) -> Path:
    """Where a file grows; its name holds the sha256, so that no other version is continued."""
    return wanted.target.with_name(f".{wanted.target.name}.{wanted.sha256[:16]}.part")


def fetch_url(wanted: Wanted, url: str, patience: Patience, progress: Progress) -> None:
    """The file is in its place afterwards, with the size and the sha256 that it must have.

    What is there already of a partial file is not asked for again. Raises SourceFailure,
    OutputError for the disk, and Cancelled; the partial file is then kept unless it was wrong, and
    whatever was in the file's place stays as it was.
    """
    part = partial_path(wanted)
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        check_space(part.parent, wanted.size - _length(part))
        resumed = _complete(wanted, part, url, patience, progress)
        if not put_in_place(wanted, part, progress):
            if not resumed:
                raise SourceFailure("what it sends is another file (wrong sha256)")
            # The older half may have been the wrong one.
            _complete(wanted, part, url, patience, progress)
            if not put_in_place(wanted, part, progress):
                raise SourceFailure("what it sends is another file (wrong sha256)")
    except OSError as error:
        raise disk_error(wanted.target, error) from error


def put_in_place(wanted: Wanted, part: Path, progress: Progress) -> bool:
    """Whether the partial file is what is wanted; then it is moved, else it is removed."""
    if _length(part) != wanted.size or file_sha256(part, progress) != wanted.sha256:
        part.unlink(missing_ok=True)
        return False
    os.replace(part, wanted.target)
    return True


def _complete(wanted: Wanted, part: Path, url: str, patience: Patience, progress: Progress) -> bool:
    """Until the partial file has all its bytes. Whether some were there before."""
    resumed, failed, anew = _length(part) > 0, 0, False
    while _length(part) < wanted.size:
        before, asked_s, begun = _length(part), None, time.monotonic()
        try:
            _continue(wanted, part, url, patience, progress)
        except Refusal as refusal:
            if refusal.status == 416:  # the part is longer than the server's file, or a lie
                if anew or not before:
                    raise SourceFailure("its file is shorter (416)") from refusal
                part.unlink(missing_ok=True)
                anew, before = True, 0
            elif refusal.status not in _TRY_AGAIN:
                raise SourceFailure(_meaning(refusal)) from refusal
            reason, asked_s = _meaning(refusal), refusal.wait_s
        except NetworkFailure as failure:
            reason = str(failure)
        else:
            reason = "it ended before the file did"
        if _length(part) >= wanted.size:
            break
        # A server that lets go after every few bytes is no better than one that drips.
        took_s = time.monotonic() - begun + patience.first_wait_s
        went_on = patience.lowest.is_reached(_length(part) - before, took_s)
        failed = 1 if went_on else failed + 1
        if failed >= patience.attempts:
            raise SourceFailure(reason)
        _wait(patience.wait_s(failed, asked_s), wanted, part, progress)
    if not wanted.size:
        part.touch()
    return resumed


def _continue(wanted: Wanted, part: Path, url: str, patience: Patience, progress: Progress) -> None:
    """One connection: appends what comes."""
    start = _length(part)
    request = Request(url, headers={"User-Agent": f"DiffusionSeg/{DiffusionSegLib.__version__}"})
    request.add_header("Accept-Encoding", "identity")  # the bytes themselves
    if start:
        request.add_header("Range", f"bytes={start}-")
    token = url_token(url)
    if token:
        # Not carried along when the server sends us elsewhere.
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    with closing(read_answer(request, patience.stall_s, progress, patience.lowest)) as told:
        answer = next(told, None)
        if not isinstance(answer, Answer):
            raise NetworkFailure("no answer")
        _check(answer, start, wanted)
        # A server that does not know ranges sends everything.
        with open(part, "ab" if answer.start else "wb") as stream:
            _write(told, stream, wanted, progress)


def _check(answer: Answer, start: int, wanted: Wanted) -> None:
    if answer.start not in (0, start):
        raise NetworkFailure("the server sends another part of the file than asked for")
    if answer.total is not None and answer.total > wanted.size:
        raise SourceFailure(
            f"its file has {answer.total} bytes instead of {wanted.size}: another file"
        )


def _write(
    told: Iterator[Answer | bytes], out: BinaryIO, wanted: Wanted, progress: Progress
) -> None:
    """Never more than is wanted."""
    done = out.tell()
    for block in told:
        if isinstance(block, Answer):
            continue
        if done + len(block) > wanted.size:
            raise SourceFailure(f"its file has more than {wanted.size} bytes: another file")
        out.write(block)
        done += len(block)
        _report(wanted, done, progress)
        if done == wanted.size:
            break
    out.flush()
    os.fsync(out.fileno())


def _wait(seconds: float, wanted: Wanted, part: Path, progress: Progress) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        progress.report(_fraction(wanted, _length(part)), f"Trying again in {left:.0f} s")
        time.sleep(min(0.1, left))


def _report(wanted: Wanted, done: int, progress: Progress) -> None:
    words = f"{wanted.target.name}: {shown_bytes(done)} of {shown_bytes(wanted.size)}"
    progress.report(_fraction(wanted, done), words)


def _fraction(wanted: Wanted, done: int) -> float:
    return done / wanted.size if wanted.size else 1.0


def _meaning(refusal: Refusal) -> str:
    words = _MEANING.get(refusal.status, "")
    return f"the server answered {refusal.status}{': ' if words else ''}{words}"


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
