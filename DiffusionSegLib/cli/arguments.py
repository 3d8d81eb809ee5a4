"""Reads single values from the command line: points, boxes, devices, numbers, names."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from DiffusionSegLib.cli.parser import nearest
from DiffusionSegLib.compute.device import is_device_name

COORDINATE_OPTIONS = ("--point", "--box", "--region")
_DEVICE_KINDS = ("auto", "cpu", "cuda", "mps", "xpu")


@dataclass(frozen=True)
class PointArgument:
    """Two or three numbers in the frame of --frame, and include or exclude."""

    values: tuple[float, ...]
    include: bool


def join_negative_coordinates(arguments: Sequence[str]) -> list[str]:
    """`--point -1,2,3` as `--point=-1,2,3`: argparse takes a leading minus for an option."""
    joined: list[str] = []
    waiting = list(arguments)
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            return [*joined, word, *waiting]
        if word in COORDINATE_OPTIONS and waiting and re.match(r"-[\d.]", waiting[0]):
            word = f"{word}={waiting.pop(0)}"
        joined.append(word)
    return joined


def point(text: str) -> PointArgument:
    """`x,y,z` or `x,y`, with `:-` at the end to exclude."""
    place, separator, sign = text.partition(":")
    if separator and sign not in ("+", "-"):
        raise argparse.ArgumentTypeError(f"a point ends in ':+' or ':-', not {text!r}")
    return PointArgument(_numbers(place, (2, 3), "a point is x,y,z (mm) or i,j[,k]"), sign != "-")


def box(text: str) -> tuple[float, ...]:
    """Two opposite corners: `x0,y0,z0,x1,y1,z1`, or `x0,y0,x1,y1` on a picture."""
    return _numbers(text, (4, 6), "a box is two corners x0,y0,z0,x1,y1,z1 or x0,y0,x1,y1")


def device(text: str) -> str:
    """auto, cpu, mps, cuda, cuda:INDEX, xpu or xpu:INDEX."""
    kind = text.partition(":")[0]
    if not is_device_name(text):
        raise argparse.ArgumentTypeError(
            f"a device is auto, cpu, mps, cuda, cuda:0, xpu or xpu:0, not {text!r}"
            f"{nearest(kind, _DEVICE_KINDS)}"
        )
    return text


def threshold(text: str) -> float:
    """A number above 0 and up to 1."""
    value = _number(text)
    if not 0.0 < value <= 1.0:
        raise argparse.ArgumentTypeError(f"a threshold lies above 0 and up to 1, not {text!r}")
    return value


def whole_number(smallest: int, largest: int = 2**63 - 1) -> Callable[[str], int]:
    """Reads a whole number in a range."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
        if not smallest <= value <= largest:
            reach = f"at least {smallest}" if value < smallest else f"at most {largest}"
            raise argparse.ArgumentTypeError(f"must be {reach}, not {value}")
        return value

    return read


def label_values(text: str) -> tuple[int, ...]:
    """`1,2`: whole numbers from 1 to 255."""
    read = whole_number(1, 255)
    return tuple(read(part) for part in text.split(","))


def image_path(text: str) -> Path:
    """A file or a folder; no name at all (an empty variable of a shell) would mean this folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError("an image has an empty name; give a file or a folder")
    return Path(text)


def names(text: str) -> tuple[str, ...]:
    """`ct,mr`: names separated by commas."""
    parts = tuple(part.strip() for part in text.split(","))
    if not all(parts) or len(set(parts)) != len(parts):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of different names a,b,c")
    return parts


def setting(text: str) -> tuple[str, str]:
    """`name=value`."""
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise argparse.ArgumentTypeError(f"a setting is name=value, not {text!r}")
    return name, value


def _numbers(text: str, counts: Sequence[int], shape: str) -> tuple[float, ...]:
    parts = text.split(",")
    if len(parts) not in counts:
        raise argparse.ArgumentTypeError(f"{shape}, not {text!r}")
    return tuple(_number(part) for part in parts)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a finite number")
    return value
