"""The ensemble without marks, kept for the next click on the same image."""

from __future__ import annotations

import weakref
from typing import Generic, TypeVar

from DiffusionSegLib.methods.cdal.embedding import CdalEmbedding
from DiffusionSegLib.methods.contract import RunOptions

T = TypeVar("T")


class FirstOutline(Generic[T]):
    """Remembers one result, for as long as its embedding lives and the run is set the same."""

    def __init__(self) -> None:
        self._embedding: weakref.ref[CdalEmbedding] | None = None
        self._key: tuple[object, ...] = ()
        self._kept: T | None = None

    def get(self, embedding: CdalEmbedding, run: RunOptions) -> T | None:
        """What was kept for this embedding and run, or None."""
        same = self._embedding is not None and self._embedding() is embedding
        return self._kept if same and self._key == _key(run) else None

    def keep(self, embedding: CdalEmbedding, run: RunOptions, result: T) -> None:
        """Remember it instead of what was kept before."""
        self._embedding = weakref.ref(embedding, self._forget)
        self._key, self._kept = _key(run), result

    def _forget(self, reference: weakref.ref[CdalEmbedding]) -> None:
        if reference is self._embedding:
            self._kept = None


def _key(run: RunOptions) -> tuple[object, ...]:
    return run.seed, run.samples, tuple(sorted(run.parameters.items()))
