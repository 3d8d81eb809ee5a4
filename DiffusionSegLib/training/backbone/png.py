"""Writes PNG files with nothing but zlib: a bare training machine has no image library."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

__all__ = ["png_bytes"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOR = 2  # red, green, blue
_SUB = 1  # the filter that stores differences along the row


def png_bytes(pixels: NDArray[np.uint8]) -> bytes:
    """The file's content; pixels: (rows, columns, 3)."""
    rows, columns, _ = pixels.shape
    differences = pixels.copy()
    differences[:, 1:] -= pixels[:, :-1]
    lines = np.empty((rows, 1 + 3 * columns), np.uint8)
    lines[:, 0], lines[:, 1:] = _SUB, differences.reshape(rows, -1)
    head = struct.pack(">IIBBBBB", columns, rows, 8, _COLOR, 0, 0, 0)
    body = zlib.compress(lines.tobytes(), 9)
    return _SIGNATURE + _chunk(b"IHDR", head) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
