"""All that is made of the packed pictures before any network is trained, kept in a folder.

Cuts, their regions and pseudo-healthy twins take most of the time and depend on no run: runs that
leave out different types share one folder. It is written in pieces, so that a kill loses little.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
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
_SHARES = (0.0, 0.45, 0.75, 0.85)  # of the time, when cuts, twins, marks and stages begin
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
    maker = _Maker(pack, settings, backbone, planned_cuts(pack, settings))
    pieces = _Pieces(folder, progress)
    places = list(range(len(maker.planned)))
    made = pieces.all("cuts", places, maker.cut, _cut_tensors, _read_cut, 0.0, "Preparing pictures")
    maker.made = list(made.values())
    cuts = tuple(cut for cut, _ in maker.made)
    numbers = list(range(len(cuts)))
    chosen = _twin_cuts(cuts, pack, settings.twins)
    twins = pieces.all(
        "twins", chosen, maker.twin, _twin_tensors, _read_twin, 0.45,
        "Drawing pseudo-healthy pictures",
    )  # fmt: skip
    lesions = [number for number in numbers if cuts[number].role != HEALTHY]
    marks = pieces.all(
        "marks", lesions, maker.marks, _mark_tensors, _read_marks, 0.75, "Marking lesions"
    )
    stages = pieces.all(
        "stages", numbers, maker.stages, _stage_tensors, _read_stages, 0.85, "Reading pictures"
    )
    shown = [pack.pictures[cut.picture] for cut in cuts]
    return Prepared(
        cuts, tuple(regions for _, regions in maker.made), twins, marks, stages,
        tuple(p.part for p in shown), tuple(p.kind for p in shown),
        tuple(p.tumor for p in shown), tuple(p.patient for p in shown),
    )  # fmt: skip


@dataclass
class _Maker:
    """Each part of a cut depends on the cut's number alone, besides the data and settings."""

    pack: Pack
    settings: GtsSettings
    backbone: GenerativeBackbone
    planned: Sequence[tuple[int, str]]
    made: list[tuple[Cut, Regions]] = field(default_factory=list)

    def cut(self, place: int) -> tuple[Cut, Regions] | None:
        cut = prepared_cut(self.pack, self.settings, self.planned, place)
        return None if cut is None else (cut, find_regions(cut, self.settings.canvas))

    def twin(self, number: int) -> Twin | None:
        cut, regions = self.made[number]
        region = chosen_region(cut, regions, self._rng(999_983, number))
        if region is None:
            return None
        return draw_twin(self.backbone, cut, regions, region, self.settings, number)

    def marks(self, number: int) -> tuple[Marked, ...] | None:
        cut, regions = self.made[number]
        rng = self._rng(999_979, number)
        both = [mark_cut(cut, regions, rng) for _ in range(_MARKS)]
        return tuple(one for one in both if one is not None) or None

    @torch.no_grad()
    def stages(self, number: int) -> tuple[Tensor, ...]:
        image = self.made[number][0].image[None, None].float() / 255
        found = self.backbone.encode(image.to(self.backbone.device)).stages
        return tuple(stage[0].half().cpu() for stage in found)

    def _rng(self, step: int, number: int) -> torch.Generator:
        return torch.Generator().manual_seed(self.settings.seed * step + number)


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


@dataclass(frozen=True)
class _Pieces:
    """Files of a folder, some keys in each."""

    folder: Path
    progress: Progress

    def all(
        self,
        name: str,
        keys: Sequence[int],
        make: Callable[[int], Made | None],
        write: Callable[[Made], tuple[dict[str, Any], dict[str, Tensor]]],
        read: Callable[[Mapping[str, Any], Mapping[str, Tensor]], Made],
        begin: float,
        stage: str,
    ) -> dict[int, Made]:
        """What ``make`` gives for each key, from files where they are there already. begin: share
        of the time, one of _SHARES, when this begins."""
        end = min((share for share in (*_SHARES, 1.0) if share > begin), default=1.0)
        told = self.progress.part(begin, end, stage)
        at_once = _TWINS_AT_ONCE if name == "twins" else _AT_ONCE
        found: dict[int, Made] = {}
        for start in told.track(range(0, len(keys), at_once), stage):
            file = self.folder / f"{name}-{start // at_once:04d}.safetensors"
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
