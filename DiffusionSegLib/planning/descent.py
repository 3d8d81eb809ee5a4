"""Runs in the way that was planned; when memory runs out, in the next one, and says so."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from DiffusionSegLib.compute.device import memory_errors_explained
from DiffusionSegLib.compute.device_memory import release_unused
from DiffusionSegLib.errors import OutOfMemoryError
from DiffusionSegLib.planning.plan import Rung
from DiffusionSegLib.planning.wording import device_words, joined
from DiffusionSegLib.progress import Progress

__all__ = ["descend"]

_LOG = logging.getLogger(__name__)
Result = TypeVar("Result")


def descend(
    rungs: Sequence[Rung],
    start: int,
    attempt: Callable[[Rung], Result],
    progress: Progress,
    release: Callable[[Rung], None] = lambda rung: None,
    make_room: Callable[[], bool] = lambda: False,
) -> tuple[Result, Rung]:
    """What ``attempt`` gives, and the way in which it went well.

    release: lets go of what a way that failed has left behind. make_room: frees memory elsewhere
    and tells whether there was any; then the same way is tried again. Raises OutOfMemoryError when
    even the last way needs too much, with what was tried; Cancelled between the ways.
    """
    number = start
    while True:
        rung = rungs[number]
        found, why = _tried(rung, attempt)
        if not why:
            return found[0], rung
        # Here the error is gone, and with it what its frames held.
        release(rung)
        gc.collect()
        release_unused()
        progress.check()
        if make_room():
            _LOG.info("Memory ran out; other models were let go.")
            continue
        number += 1
        if number == len(rungs):
            raise OutOfMemoryError(_nothing_left(why, rungs[start], rung, len(rungs) - start))
        words = _step(rung, rungs[number])
        _LOG.warning("%s Going on %s.", why, words)
        progress.report(0.0, f"Out of memory: going on {words}")


def _tried(rung: Rung, attempt: Callable[[Rung], Result]) -> tuple[list[Result], str]:
    """The result, or why there is none."""
    try:
        with memory_errors_explained("this image"):
            return [attempt(rung)], ""
    except OutOfMemoryError as error:
        return [], str(error)


def _step(before: Rung, after: Rung) -> str:
    """What the next way does other than the last one."""
    new = [words for words in after.said if words not in before.said]
    if new:
        return joined(new)
    return joined(after.said) if after.said else f"on {device_words(after.device)}"


def _nothing_left(why: str, first: Rung, last: Rung, count: int) -> str:
    """The sentence of the last error, with what was tried."""
    if count == 1 or not last.said:
        return why
    return (
        "There is not enough memory for this image, not even to outline it "
        f"{joined(last.said)}; choose a smaller region, fewer samples or another device."
    )
