"""All that is made of the packed pictures before any network is trained, kept in a folder.

Cuts, their regions and pseudo-healthy twins take most of the time and depend on no run: runs that
leave out different types share one folder. It is written in pieces, so that a kill loses little.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from DiffusionSegLib.backbones.generative.interface import GenerativeBackbone
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.io.atomic import atomic_file
from DiffusionSegLib.methods.diffugts.region_features import FEATURES
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.diffugts.cut_plan import planned_cuts, prepared_cut
from DiffusionSegLib.training.diffugts.cuts import HEALTHY, REAL, Cut
from DiffusionSegLib.training.diffugts.pack import Pack
from DiffusionSegLib.training.diffugts.regions import Regions, find_regions
from DiffusionSegLib.training.diffugts.settings import GtsSettings
from DiffusionSegLib.training.diffugts.simulated_marks import Marked, mark_cut
from DiffusionSegLib.training.diffugts.twins import Twin, chosen_region, draw_twin

__all__ = ["Prepared", "prepare"]

_AT_ONCE, _TWINS_AT_ONCE = 40, 10  # of a piece
_DECIDING = ("seed", "side", "canvas", "cuts", "twins", "twin_steps", "grow")
_MARKS = 2  # of each lesion
_CUTS_SHARE, _TWINS_SHARE, _MARKS_SHARE = 0.45, 0.75, 0.85  # of the time, when each is done
_LEFT_FREE = 0.15  # of the twins: cuts without anything abnormal

Made = TypeVar("Made")


@dataclass(frozen=True)
class Prepared:
    """cuts, regions: of each other; part, kind, tumor, patient: of each cut. By a cut's number:
    twins; marks, two of each lesion; stages, float16 features of the frozen encoder."""

    cuts: tuple[Cut, ...]
    regions: tuple[Regions, ...]
    twins: Mapping[int, Twin]
    marks: Mapping[int, tuple[Marked, ...]]
    stages: Mapping[int, tuple[Tensor, ...]]
    part: tuple[str, ...]
    kind: tuple[str, ...]
    tumor: tuple[str, ...]
    patient: tuple[str, ...]


def prepare(
    pack: Pack,
    settings: GtsSettings,
    backbone: GenerativeBackbone,
    folder: Path,
    progress: Progress,
) -> Prepared:
    """Make what is missing in the folder, and read all of it. Raises InputError when the folder was
    made from other data or with other settings."""
    folder.mkdir(parents=True, exist_ok=True)
    _check(folder, pack, settings, backbone)
    planned = planned_cuts(pack, settings)

    def make_cut(place: int) -> tuple[Cut, Regions] | None:
        cut = prepared_cut(pack, settings, planned, place)
        return None if cut is None else (cut, find_regions(cut, settings.canvas))

    places = list(range(len(planned)))
    told = progress.part(0.0, _CUTS_SHARE, "Preparing pictures")
    made = _in_pieces(folder, "cuts", places, _AT_ONCE, make_cut, _cut_tensors, _read_cut, told)
    cuts = tuple(cut for cut, _ in made.values())
    regions = tuple(found for _, found in made.values())

    def make_twin(number: int) -> Twin | None:
        rng = torch.Generator().manual_seed(settings.seed * 999_983 + number)
        region = chosen_region(cuts[number], regions[number], rng)
        if region is None:
            return None
        return draw_twin(backbone, cuts[number], regions[number], region, settings, number)

    told = progress.part(_CUTS_SHARE, _TWINS_SHARE, "Drawing pseudo-healthy pictures")
    chosen = _twin_cuts(cuts, pack, settings.twins)
    twins = _in_pieces(
        folder, "twins", chosen, _TWINS_AT_ONCE, make_twin, _twin_tensors, _read_twin, told
    )

    def make_marks(number: int) -> tuple[Marked, ...] | None:
        rng = torch.Generator().manual_seed(settings.seed * 999_979 + number)
        both = [mark_cut(cuts[number], regions[number], rng) for _ in range(_MARKS)]
        kept = tuple(one for one in both if one is not None)
        return kept or None

    told = progress.part(_TWINS_SHARE, _MARKS_SHARE, "Marking lesions")
    lesions = [number for number, cut in enumerate(cuts) if cut.role != HEALTHY]
    marks = _in_pieces(
        folder, "marks", lesions, _AT_ONCE, make_marks, _mark_tensors, _read_marks, told
    )

    def make_stages(number: int) -> tuple[Tensor, ...]:
        with torch.no_grad():
            image = cuts[number].image[None, None].float() / 255
            found = backbone.encode(image.to(backbone.device)).stages
        return tuple(stage[0].half().cpu() for stage in found)

    told = progress.part(_MARKS_SHARE, 1.0, "Reading pictures")
    numbers = list(range(len(cuts)))
    stages = _in_pieces(
        folder, "stages", numbers, _AT_ONCE, make_stages, _stage_tensors, _read_stages, told
    )
    shown = [pack.pictures[cut.picture] for cut in cuts]
    return Prepared(
        cuts, regions, twins, marks, stages,
        tuple(p.part for p in shown), tuple(p.kind for p in shown),
        tuple(p.tumor for p in shown), tuple(p.patient for p in shown),
    )  # fmt: skip


def _check(folder: Path, pack: Pack, settings: GtsSettings, backbone: GenerativeBackbone) -> None:
    own: dict[str, Any] = {name: asdict(settings)[name] for name in _DECIDING}
    own |= {"data": pack.digest, "features": list(FEATURES), "backbone": backbone.weights_sha256}
    file = folder / "prepared.json"
    if not file.exists():
        with atomic_file(file) as stream:
            stream.write(json.dumps(own, indent=1).encode())
        return
    before = json.loads(file.read_text("utf-8"))
    changed = [name for name in own if before.get(name) != own[name]]
    if changed:
        raise InputError(
            f"The pictures in {folder} were prepared with another {changed[0]}; choose another "
            "folder or delete it."
        )


def _twin_cuts(cuts: Sequence[Cut], pack: Pack, count: int) -> list[int]:
    """Evenly over kinds and roles, in an order that does not depend on how many there are."""
    pools: dict[tuple[str, str], list[int]] = {}
    for number, cut in enumerate(cuts):
        picture = pack.pictures[cut.picture]
        if picture.part == "train" and cut.role != HEALTHY:
            weight = (picture.kind if cut.role == REAL else "", cut.role)
            pools.setdefault(weight, []).append(number)
    free = [n for n, cut in enumerate(cuts) if cut.role == HEALTHY][:: max(1, len(cuts) // 100)]
    chosen: list[int] = free[: round(_LEFT_FREE * count)]
    queues = [pool[::3] + pool[1::3] + pool[2::3] for _, pool in sorted(pools.items())]
    for turn in range(max((len(queue) for queue in queues), default=0)):
        chosen += [queue[turn] for queue in queues if turn < len(queue)]
    return chosen[:count]


def _in_pieces(
    folder: Path,
    name: str,
    keys: Sequence[int],
    at_once: int,
    make: Callable[[int], Made | None],
    write: Callable[[Made], tuple[dict[str, Any], dict[str, Tensor]]],
    read: Callable[[Mapping[str, Any], Mapping[str, Tensor]], Made],
    progress: Progress,
) -> dict[int, Made]:
    """What ``make`` gives for each key, from files where they are there already."""
    found: dict[int, Made] = {}
    starts: Iterable[int] = range(0, len(keys), at_once)
    for start in progress.track(list(starts), "Preparing"):
        file = folder / f"{name}-{start // at_once:04d}.safetensors"
        if not file.exists():
            made = {key: make(key) for key in keys[start : start + at_once]}
            _write_piece(file, {k: write(one) for k, one in made.items() if one is not None})
        found |= {key: read(*one) for key, one in _read_piece(file).items()}
    return found


def _write_piece(file: Path, rows: Mapping[int, tuple[dict[str, Any], dict[str, Tensor]]]) -> None:
    from safetensors.torch import save_file

    tensors = {
        f"{key}.{name}": value.contiguous()
        for key, (_, parts) in rows.items()
        for name, value in parts.items()
    }
    index = {str(key): plain for key, (plain, _) in rows.items()}
    partial = file.with_suffix(".partial")
    save_file(tensors, str(partial), metadata={"index": json.dumps(index)})
    os.replace(partial, file)


def _read_piece(file: Path) -> dict[int, tuple[dict[str, Any], dict[str, Tensor]]]:
    try:
        with safe_open(str(file), framework="pt") as store:
            index = json.loads((store.metadata() or {})["index"])
            parts: dict[str, dict[str, Tensor]] = {key: {} for key in index}
            for name in store.keys():  # noqa: SIM118  it is no mapping
                key, _, part = name.partition(".")
                parts[key][part] = store.get_tensor(name)
    except (SafetensorError, KeyError, ValueError) as error:
        raise InputError(f"The prepared pictures {file} are damaged ({error}); delete them.") from (
            error
        )
    return {int(key): (plain, parts[key]) for key, plain in index.items()}


def _cut_tensors(both: tuple[Cut, Regions]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    cut, regions = both
    plain = {"picture": cut.picture, "role": cut.role, "texts": cut.texts, "shape": cut.shape}
    squeezed = torch.from_numpy(np.frombuffer(regions.squeezed, np.uint8).copy())
    return plain | {"canvas": regions.shape}, {
        "image": cut.image, "mask": cut.mask, "ignored": cut.ignored, "regions": squeezed,
        "features": torch.from_numpy(regions.features), "dice": torch.from_numpy(regions.dice),
    }  # fmt: skip


def _read_cut(plain: Mapping[str, Any], parts: Mapping[str, Tensor]) -> tuple[Cut, Regions]:
    normal, abnormal = plain["texts"]
    rows, columns = plain["shape"]
    cut = Cut(
        plain["picture"], plain["role"], (normal, abnormal), parts["image"], parts["mask"],
        parts["ignored"], (rows, columns),
    )  # fmt: skip
    rows, columns = plain["canvas"]
    features, dice = parts["features"].numpy(), parts["dice"].numpy()
    return cut, Regions((rows, columns), features, dice, parts["regions"].numpy().tobytes())


def _twin_tensors(twin: Twin) -> tuple[dict[str, Any], dict[str, Tensor]]:
    tensors = {"filled": twin.filled, "difference": twin.difference, "latent": twin.latent}
    return {"region": twin.region}, tensors


def _read_twin(plain: Mapping[str, Any], parts: Mapping[str, Tensor]) -> Twin:
    return Twin(int(plain["region"]), parts["filled"], parts["difference"], parts["latent"])


def _mark_tensors(marks: tuple[Marked, ...]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    tensors: dict[str, Tensor] = {}
    for number, one in enumerate(marks):
        tensors[f"meant{number}"] = torch.from_numpy(one.meant)
        tensors[f"told{number}"] = torch.from_numpy(one.told)
    return {"count": len(marks)}, tensors


def _read_marks(plain: Mapping[str, Any], parts: Mapping[str, Tensor]) -> tuple[Marked, ...]:
    return tuple(
        Marked(parts[f"meant{number}"].numpy(), parts[f"told{number}"].numpy())
        for number in range(plain["count"])
    )


def _stage_tensors(stages: tuple[Tensor, ...]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    return {}, {str(level): stage for level, stage in enumerate(stages)}


def _read_stages(plain: Mapping[str, Any], parts: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
    return tuple(parts[str(level)] for level in range(len(parts)))
