"""What MAISI's denoising networks are told of a scan besides its noisy latent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from DiffusionSegLib.backbones.generative.interface import ScanFacts
from DiffusionSegLib.backbones.maisi.variants import Variant
from DiffusionSegLib.errors import InputError

__all__ = ["CODES", "REGIONS", "Condition", "condition_of"]

REGIONS = ("head", "chest", "abdomen", "pelvis")
# configs/modality_mapping.json of the authors' code; 0 stands for anything.
CODES: Mapping[str, Mapping[str, int]] = {
    "ct": {"ct": 1, "ct_without_contrast": 2, "ct_contrast": 3},
    "mr": {
        "mr": 8, "t1": 9, "t2": 10, "flair": 11, "pd": 12, "dwi": 13, "adc": 14, "ssfp": 15,
        "mra": 16, "t1c": 17, "swi": 20, "t1_skull_stripped": 29, "t2_skull_stripped": 30,
        "flair_skull_stripped": 31, "swi_skull_stripped": 32,
    },
}  # fmt: skip
_UNKNOWN = 0
# What is said of a scan of which nothing is known: 59 % of the CT that it was trained on show this.
_USUAL = ("chest", "abdomen")
_HUNDRED = 100.0  # the networks were trained with spacings and regions times a hundred


@dataclass(frozen=True)
class Condition:
    """spacing: (1, 3) along x, y, z in hundredths of a millimetre. top, bottom: (1, 4), 100 at the
    first and at the last part of the body. code: of the modality."""

    spacing: Tensor
    top: Tensor | None = None
    bottom: Tensor | None = None
    code: int | None = None

    def arguments(self, like: Tensor, guided: bool = True) -> dict[str, Any]:
        """Of the network for latents (B, ...), in their arithmetic and on their device; not
        guided: without a modality."""
        batch = len(like)
        tensors = {
            "spacing_tensor": self.spacing,
            "top_region_index_tensor": self.top,
            "bottom_region_index_tensor": self.bottom,
        }
        told: dict[str, Any] = {
            name: value.to(like).expand(batch, -1)
            for name, value in tensors.items()
            if value is not None
        }
        if self.code is not None:
            code = self.code if guided else _UNKNOWN
            told["class_labels"] = torch.full((batch,), code, device=like.device)
        return told


def condition_of(facts: ScanFacts, variant: Variant) -> Condition:
    """Raises InputError for a modality or a region that the variant does not know."""
    code = _code(facts.modality, variant)
    # Facts are of arrays, slowest first; MAISI counts x, y, z.
    spacing = torch.tensor([facts.spacing_mm[::-1]], dtype=torch.float32) * _HUNDRED
    top = bottom = None
    if variant.denoiser.regions:
        first, last = _region_numbers(facts.region or _USUAL)
        top, bottom = (_HUNDRED * torch.eye(len(REGIONS))[None, one] for one in (first, last))
    return Condition(spacing, top, bottom, code if variant.denoiser.classes else None)


def _code(modality: str, variant: Variant) -> int:
    codes = CODES[variant.modality]
    found = codes.get(modality.strip().lower() or variant.modality)
    if found is None:
        raise InputError(
            f"The model MAISI {variant.name} was trained on {variant.modality.upper()} and knows "
            f"{', '.join(codes)}, not {modality!r}; choose another model or correct the modality."
        )
    return found


def _region_numbers(region: tuple[str, str]) -> tuple[int, int]:
    try:
        first, last = (REGIONS.index(part.strip().lower()) for part in region)
    except ValueError:
        raise InputError(
            f"The parts of the body are {', '.join(REGIONS)}, first and last, not {region!r}."
        ) from None
    if first > last:
        raise InputError(
            f"The region goes from the head down, but {region[0]} lies below {region[1]}; "
            "exchange them."
        )
    return first, last
