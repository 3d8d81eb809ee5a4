"""Nouns as JSON and arrays, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.errors import DiffusionSegError, WorkerError
from DiffusionSegLib.nouns.candidate import Candidate
from DiffusionSegLib.nouns.geometry import Geometry, as_direction
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.label import Label
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Point, Prompt
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.nouns.provenance import Provenance
from DiffusionSegLib.nouns.verdict import PresenceVerdict, Verdict

__all__ = [
    "Arrays",
    "pack_box",
    "pack_candidate",
    "pack_image",
    "pack_label",
    "pack_mask",
    "pack_prompt",
    "pack_proposal",
    "readable",
    "unpack_box",
    "unpack_candidate",
    "unpack_image",
    "unpack_label",
    "unpack_mask",
    "unpack_optional",
    "unpack_prompt",
    "unpack_proposal",
]

T = TypeVar("T")
Values = Mapping[str, Any]
Arrays = Sequence[NDArray[Any]]
Collected = list[NDArray[Any]]


@contextmanager
def readable(what: str) -> Iterator[None]:
    """Turn whatever an incomplete or foreign message causes into one sentence."""
    try:
        yield
    except DiffusionSegError:
        raise
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError) as error:
        raise WorkerError(
            f"The {what} cannot be read ({type(error).__name__}: {error}); install the same "
            "version of DiffusionSeg on both sides."
        ) from error


def pack_geometry(geometry: Geometry) -> dict[str, Any]:
    """All four fields; floats survive JSON to the last bit."""
    return asdict(geometry)


def unpack_geometry(values: Values) -> Geometry:
    """Raises GeometryError."""
    slices, rows, columns = values["shape_kji"]
    return Geometry(
        (slices, rows, columns),
        tuple(values["spacing_mm"]),
        tuple(values["origin_lps"]),
        as_direction(values["direction"]),
    )


def pack_image(image: Image, arrays: Collected) -> dict[str, Any]:
    """The array goes along as it is, without a copy."""
    arrays.append(image.array)
    return {
        "array": len(arrays) - 1,
        "geometry": pack_geometry(image.geometry),
        "channel_names": list(image.channel_names),
        "dimension": image.dimension,
        "path": None if image.path is None else str(image.path),
    }


def unpack_image(values: Values, arrays: Arrays) -> Image:
    """Raises InputError."""
    path = values["path"]
    return Image(
        arrays[values["array"]],
        unpack_geometry(values["geometry"]),
        tuple(values["channel_names"]),
        int(values["dimension"]),
        None if path is None else Path(path),
    )


def pack_label(label: Label) -> dict[str, Any]:
    """By name."""
    return asdict(label)


def unpack_label(values: Values) -> Label:
    """Raises InputError."""
    return Label(**{**values, "color_rgb": tuple(values["color_rgb"])})


def pack_mask(mask: Mask, arrays: Collected) -> dict[str, Any]:
    """Only the block that is not background travels: a mask is mostly empty."""
    block = _filled_block(mask.array)
    arrays.append(mask.array[block])
    return {
        "array": len(arrays) - 1,
        "corner": [part.start for part in block],
        "geometry": pack_geometry(mask.geometry),
        "labels": [pack_label(label) for label in mask.labels],
        "provenance": None if mask.provenance is None else mask.provenance.to_dict(),
        "dimension": mask.dimension,
    }


def unpack_mask(values: Values, arrays: Arrays) -> Mask:
    """Raises InputError."""
    geometry = unpack_geometry(values["geometry"])
    block, whole = arrays[values["array"]], np.zeros(geometry.shape_kji, np.uint8)
    if block.size:
        k, j, i = values["corner"]
        depth, height, width = block.shape
        whole[k : k + depth, j : j + height, i : i + width] = block
    provenance = values["provenance"]
    return Mask(
        whole,
        geometry,
        tuple(unpack_label(label) for label in values["labels"]),
        None if provenance is None else Provenance(**provenance),
        int(values["dimension"]),
    )


def _filled_block(array: NDArray[np.uint8]) -> tuple[slice, slice, slice]:
    """The smallest block with all that is not 0; empty when there is nothing."""
    slices = np.flatnonzero([plane.any() for plane in array])
    if not slices.size:
        return slice(0, 0), slice(0, 0), slice(0, 0)
    k = slice(int(slices[0]), int(slices[-1]) + 1)
    # One plane at a time: a whole volume as truth values would double its memory.
    flat = np.zeros(array.shape[1:], bool)
    for plane in array[k]:
        flat |= plane != 0
    rows, columns = np.flatnonzero(flat.any(axis=1)), np.flatnonzero(flat.any(axis=0))
    j = slice(int(rows[0]), int(rows[-1]) + 1)
    return k, j, slice(int(columns[0]), int(columns[-1]) + 1)


def pack_box(box: Box) -> dict[str, Any]:
    """Centre, size, axes."""
    return asdict(box)


def unpack_box(values: Values) -> Box:
    """Raises PromptError."""
    return Box(tuple(values["center_ras"]), tuple(values["size_mm"]), as_direction(values["axes"]))


def pack_prompt(prompt: Prompt, arrays: Collected) -> dict[str, Any]:
    """Everything that was asked for."""
    return {
        "text": prompt.text,
        "points": [[*point.position_ras, point.include] for point in prompt.points],
        "boxes": [pack_box(box) for box in prompt.boxes],
        "region": None if prompt.region is None else pack_box(prompt.region),
        "scribbles": None if prompt.scribbles is None else pack_mask(prompt.scribbles, arrays),
    }


def unpack_prompt(values: Values, arrays: Arrays) -> Prompt:
    """Raises PromptError."""
    return Prompt(
        text=str(values["text"]),
        points=tuple(Point.of(point) for point in values["points"]),
        boxes=tuple(unpack_box(box) for box in values["boxes"]),
        scribbles=unpack_optional(values["scribbles"], lambda v: unpack_mask(v, arrays)),
        region=unpack_optional(values["region"], unpack_box),
    )


def pack_candidate(candidate: Candidate, arrays: Collected) -> dict[str, Any]:
    """The mask's filled block, the score, the title."""
    return {
        "mask": pack_mask(candidate.mask, arrays),
        "score": candidate.score,
        "title": candidate.title,
    }


def unpack_candidate(values: Values, arrays: Arrays) -> Candidate:
    """Raises InputError."""
    mask = unpack_mask(values["mask"], arrays)
    return Candidate(mask, float(values["score"]), str(values["title"]))


def pack_proposal(proposal: Proposal, arrays: Collected) -> dict[str, Any]:
    """The evidence on the method's grid, to be interpolated on the other side."""
    doubt = proposal.doubt
    return {
        "evidence": pack_image(proposal.evidence, arrays),
        "doubt": None if doubt is None else pack_image(doubt, arrays),
        "labels": [pack_label(label) for label in proposal.labels],
        "verdict": {
            "state": proposal.verdict.state.name,
            "score": proposal.verdict.score,
            "reason": proposal.verdict.reason,
        },
        "provenance": proposal.provenance.to_dict(),
        "alternatives": [pack_candidate(one, arrays) for one in proposal.alternatives],
        "auxiliary": {
            name: pack_image(image, arrays) for name, image in proposal.auxiliary.items()
        },
        "geometry": pack_geometry(proposal.geometry),
    }


def unpack_proposal(values: Values, arrays: Arrays) -> Proposal:
    """Raises InputError."""
    verdict = values["verdict"]
    return Proposal(
        unpack_image(values["evidence"], arrays),
        tuple(unpack_label(label) for label in values["labels"]),
        PresenceVerdict(Verdict[verdict["state"]], verdict["score"], verdict["reason"]),
        Provenance(**values["provenance"]),
        unpack_optional(values["doubt"], lambda v: unpack_image(v, arrays)),
        tuple(unpack_candidate(one, arrays) for one in values["alternatives"]),
        {name: unpack_image(image, arrays) for name, image in values["auxiliary"].items()},
        unpack_geometry(values["geometry"]),
    )


def unpack_optional(values: Values | None, unpack: Callable[[Values], T]) -> T | None:
    """None for None."""
    return None if values is None else unpack(values)
