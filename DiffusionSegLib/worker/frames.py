"""The wire: a small JSON header and raw arrays, over a pair of pipes. No pickle.

A frame is the magic b"DSG1", the header's length (uint32), the payload's length (uint64), both
little-endian, the header in UTF-8, and the arrays one after the other in C order. The header's
"arrays" lists their shapes and types.
"""

from __future__ import annotations

import io
import json
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.errors import OutOfMemoryError, WorkerError

__all__ = ["Frame", "FrameError", "FrameReader", "FrameWriter"]

_MAGIC = b"DSG1"
_PREFIX = struct.Struct("<4sIQ")
_LARGEST_HEADER = 16 << 20
_LARGEST_PAYLOAD = 64 << 30
_MOST_ARRAYS = 1024
_GREETING_NOISE = 64 << 10  # a login script may speak before the worker does
_BLOCK = 4 << 20
_TYPES = {
    np.dtype(name).newbyteorder("<").str: np.dtype(name).newbyteorder("<")
    for name in ("?", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8")
}

Told = Callable[[int, int], None]


class FrameError(WorkerError):
    """What came is no frame; nothing that follows can be trusted."""


@dataclass(frozen=True)
class Frame:
    """header: what JSON can hold, with "kind"; problem: the arrays found no room in memory."""

    header: Mapping[str, Any]
    arrays: tuple[NDArray[Any], ...] = ()
    problem: OutOfMemoryError | None = None


class FrameWriter:
    """Writes frames to a pipe; contiguous arrays are not copied."""

    def __init__(self, stream: io.FileIO) -> None:
        self._stream = stream

    def write(self, frame: Frame, told: Told | None = None) -> None:
        """Block until all is written; `told` hears bytes written and bytes in all. Raises OSError
        when the other side is gone."""
        arrays = [_plain(array) for array in frame.arrays]
        listed = [{"shape": array.shape, "dtype": array.dtype.str} for array in arrays]
        header = json.dumps({**frame.header, "arrays": listed}).encode()
        size = sum(array.nbytes for array in arrays)
        self._write(memoryview(_PREFIX.pack(_MAGIC, len(header), size) + header))
        done = 0
        for array in arrays:
            view = array.reshape(-1).view(np.uint8).data
            for start in range(0, len(view), _BLOCK):
                done += self._write(view[start : start + _BLOCK])
                if told is not None:
                    told(done, size)

    def _write(self, view: memoryview) -> int:
        written = 0
        while written < len(view):
            written += self._stream.write(view[written:]) or 0
        return written


class FrameReader:
    """Reads frames from a pipe straight into new arrays."""

    def __init__(self, stream: io.FileIO) -> None:
        self._stream = stream

    def read(self) -> Frame | None:
        """The next frame; None when the stream ended between two. Raises FrameError."""
        prefix = bytearray(_PREFIX.size)
        found = self._fill(memoryview(prefix))
        if found == 0:
            return None
        if found < len(prefix):
            raise FrameError(_truncated(found, len(prefix)))
        return self._body(prefix)

    def read_first(self) -> Frame | None:
        """As `read`, but passes over what is written before the first frame."""
        noise = bytearray()
        one = bytearray(1)
        while not noise.endswith(_MAGIC):
            if len(noise) > _GREETING_NOISE or not self._fill(memoryview(one)):
                if not noise:
                    return None
                raise FrameError(f"Instead of a worker's greeting came {_shown(noise)}.")
            noise += one
        rest = bytearray(_PREFIX.size - len(_MAGIC))
        self._fill_all(memoryview(rest))
        return self._body(bytearray(_MAGIC) + rest)

    def _body(self, prefix: bytearray) -> Frame:
        magic, header_size, payload_size = _PREFIX.unpack(prefix)
        if magic != _MAGIC:
            raise FrameError(f"Instead of a frame came {_shown(prefix)}.")
        if header_size > _LARGEST_HEADER or payload_size > _LARGEST_PAYLOAD:
            raise FrameError(
                f"A frame claims {header_size} + {payload_size} bytes, which is more than any "
                f"({_LARGEST_HEADER} + {_LARGEST_PAYLOAD})."
            )
        raw = bytearray(header_size)
        self._fill_all(memoryview(raw))
        header = _header(raw)
        shapes = _shapes(header.pop("arrays"), payload_size)
        try:
            arrays = tuple(np.empty(shape, dtype) for shape, dtype in shapes)
        except MemoryError:
            self._discard(payload_size)
            return Frame(header, (), _no_room(payload_size))
        for array in arrays:
            self._fill_all(array.reshape(-1).view(np.uint8).data)
        return Frame(header, arrays)

    def _discard(self, size: int) -> None:
        waste = memoryview(bytearray(min(size, 1 << 16)))
        while size > 0:
            self._fill_all(waste[: min(size, len(waste))])
            size -= min(size, len(waste))

    def _fill_all(self, view: memoryview) -> None:
        found = self._fill(view)
        if found < len(view):
            raise FrameError(_truncated(found, len(view)))

    def _fill(self, view: memoryview) -> int:
        """Bytes read: fewer than asked for only at the end of the stream."""
        found = 0
        while found < len(view):
            count = self._stream.readinto(view[found:])
            if not count:
                break
            found += count
        return found


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    """In C order and little-endian; itself when it is so already."""
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))


def _header(raw: bytearray) -> dict[str, Any]:
    try:
        header = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"A frame's header is not JSON: {_shown(raw)}.") from error
    if not isinstance(header, dict) or not isinstance(header.get("kind"), str):
        raise FrameError(f"A frame's header has no kind: {_shown(raw)}.")
    return {"arrays": [], **header}


def _shapes(listed: object, size: int) -> list[tuple[tuple[int, ...], np.dtype[Any]]]:
    """Checked before any memory is asked for."""
    if not isinstance(listed, list) or len(listed) > _MOST_ARRAYS:
        raise FrameError("A frame's header lists no proper arrays.")
    shapes = [_shape(part) for part in listed]
    total = sum(math.prod(shape) * dtype.itemsize for shape, dtype in shapes)
    if total != size:
        raise FrameError(f"A frame's arrays need {total} bytes, but it claims to hold {size}.")
    return shapes


def _shape(part: object) -> tuple[tuple[int, ...], np.dtype[Any]]:
    if not isinstance(part, dict):
        raise FrameError(f"A frame's array is described by {part!r}.")
    shape, name = part.get("shape"), part.get("dtype")
    if not isinstance(name, str) or name not in _TYPES:
        raise FrameError(f"A frame holds an array of type {name!r}; it must be a plain number.")
    good = isinstance(shape, list) and len(shape) <= 8 and all(_is_count(n) for n in shape)
    if not isinstance(shape, list) or not good:
        raise FrameError(f"A frame holds an array of the impossible shape {shape!r}.")
    return tuple(shape), _TYPES[name]


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 2**40


def _truncated(found: int, wanted: int) -> str:
    return f"A frame ended after {found} of {wanted} bytes."


def _no_room(size: int) -> OutOfMemoryError:
    return OutOfMemoryError(
        f"There is not enough memory for the {size / 1e9:.1f} GB that were sent; close other "
        "programs or crop the image first."
    )


def _shown(raw: Sequence[int]) -> str:
    return repr(bytes(raw[:80]).decode("utf-8", "replace"))
