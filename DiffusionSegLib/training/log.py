"""The record of a training run: a CSV that survives a restart, and TensorBoard where installed."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray


class TrainingLog:
    """Writes rows {step, name: value, ...} to ``folder``/log.csv and to TensorBoard.

    After a resume at step s, rows beyond s (from before the kill) are dropped, so that the file
    reads as if the run had never stopped.
    """

    def __init__(self, folder: Path, columns: tuple[str, ...], resumed_step: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._columns = ("step", *columns)
        self._path = folder / "log.csv"
        self._keep_until(resumed_step)
        self._stream = open(self._path, "a", newline="", encoding="utf-8")
        self._writer = csv.DictWriter(self._stream, self._columns, restval="")
        if self._path.stat().st_size == 0:
            self._writer.writeheader()
        self._board = _tensorboard(folder)

    def __enter__(self) -> TrainingLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()
        if self._board is not None:
            self._board.close()

    def row(self, step: int, values: Mapping[str, float]) -> None:
        """One line; numbers also go to TensorBoard."""
        self._writer.writerow({"step": step, **{k: f"{v:.6g}" for k, v in values.items()}})
        self._stream.flush()
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(name, value, step)

    def picture(self, step: int, name: str, picture: NDArray[np.uint8]) -> None:
        """picture: (height, width, 3); shown in TensorBoard."""
        if self._board is not None:
            self._board.add_image(name, picture, step, dataformats="HWC")

    def _keep_until(self, step: int) -> None:
        if not self._path.exists():
            return
        with open(self._path, newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        kept = [row for row in rows if (row.get("step") or "").isdigit() and int(row["step"]) <= step]
        with open(self._path, "w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, self._columns, restval="", extrasaction="ignore")
            writer.writeheader()
            writer.writerows(kept)


def _tensorboard(folder: Path) -> Any | None:
    """A TensorBoard writer, or None where tensorboard is not installed (it is optional)."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder))  # type: ignore[no-untyped-call]
