"""The record of a training run: a CSV that survives a restart, and TensorBoard where installed."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.io.atomic import atomic_file


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
        self._stream = open(self._path, "a", newline="", encoding="utf-8")  # noqa: SIM115 (__exit__)
        self._writer = csv.DictWriter(self._stream, self._columns, restval="")
        if self._path.stat().st_size == 0:
            self._writer.writeheader()
        self._board = _tensorboard(folder, resumed_step)

    def __enter__(self) -> TrainingLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
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
            rows = [row for row in csv.DictReader(stream) if _is_whole(row)]
        kept = io.StringIO(newline="")
        writer = csv.DictWriter(kept, self._columns, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(row for row in rows if int(row["step"]) <= step)
        with atomic_file(self._path) as file:
            file.write(kept.getvalue().encode())


def _is_whole(row: Mapping[str, str | None]) -> bool:
    """Whether the line was written to its end before the run was killed."""
    return (row.get("step") or "").isdigit() and None not in row.values()


def _tensorboard(folder: Path, resumed_step: int) -> Any | None:
    """A TensorBoard writer, or None where tensorboard is not installed (it is optional)."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    # Points beyond the resumed step are hidden, as in the CSV.
    return SummaryWriter(str(folder), purge_step=resumed_step + 1 if resumed_step else None)
