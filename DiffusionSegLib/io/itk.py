"""SimpleITK, kept quiet and without second copies of the voxels."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.nouns.geometry import Geometry, as_direction

__all__ = ["grid_of", "itk_name", "quiet_itk", "shared_array"]


class _Stderr:
    """Sends the process's error stream to nowhere while at least one block is inside.

    ITK's readers write to it from C and C++, so only the file descriptor itself silences them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._kept = -1

    def silence(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside > 1:
                return
            try:
                if sys.stderr is not None:
                    sys.stderr.flush()
                self._kept = os.dup(2)
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, 2)
                os.close(nowhere)
            except (OSError, ValueError):
                # A program without a console has no error stream to silence.
                self._kept = -1

    def restore(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and self._kept >= 0:
                os.dup2(self._kept, 2)
                os.close(self._kept)
                self._kept = -1


_stderr = _Stderr()


@contextmanager
def quiet_itk() -> Iterator[None]:
    """Silence what ITK's readers write to the error stream; what matters is raised instead."""
    _stderr.silence()
    try:
        yield
    finally:
        _stderr.restore()


def itk_name(path: Path) -> str:
    """The path for ITK's readers. Raises InputError for a name that is no text: a name in another
    encoding than the system's would end the whole process there."""
    name = str(path)
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"The name {name!a} has characters that are not in the system's encoding (UTF-8); "
            "rename the file or its folder."
        ) from error
    return name


class _Buffer:
    """Keeps a SimpleITK image alive for as long as numpy uses its memory."""

    def __init__(self, image: sitk.Image) -> None:
        self._image = image
        view = sitk.GetArrayViewFromImage(image)
        # The image belongs to this buffer alone, so its memory may be written.
        self.__array_interface__: dict[str, Any] = {
            **view.__array_interface__,
            "data": (view.__array_interface__["data"][0], False),
        }


def shared_array(image: sitk.Image) -> NDArray[Any]:
    """The voxels (k, j, i[, component]) without a copy; the caller gives the image away."""
    return np.asarray(_Buffer(image))


def grid_of(image: sitk.Image) -> Geometry:
    """The geometry of a SimpleITK image of two or three dimensions."""
    dimension = image.GetDimension()
    sizes = (*image.GetSize(), 1)
    spacing = (*image.GetSpacing(), 1.0)[:3]
    matrix = np.eye(4)
    matrix[:dimension, :dimension] = np.reshape(image.GetDirection(), (dimension, dimension))
    return Geometry(
        (sizes[2], sizes[1], sizes[0]),
        (spacing[0], spacing[1], spacing[2]),
        (*image.GetOrigin(), 0.0)[:3],
        as_direction(matrix[:3, :3]),
    )
