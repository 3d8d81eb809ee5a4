"""What a run does: the card's settings, changed by what the user chose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.methods.contract import RunOptions
from DiffusionSegLib.methods.diffugts.coarse_mask import CoarseSettings
from DiffusionSegLib.methods.diffugts.inpainting_plan import PseudoHealthySettings
from DiffusionSegLib.methods.diffugts.sparing import cut_down
from DiffusionSegLib.methods.forecast import Economy

__all__ = ["EVIDENCE", "RunSettings"]

EVIDENCE = ("map", "coarse", "pixel", "all")
_GROW_PIXELS = 4.0  # of the backbone's grid


@dataclass(frozen=True)
class RunSettings:
    """modality: see choose_modality. grow_mm: by which the coarse mask is made larger; 0 for
    ``grow_pixels`` of the backbone's grid. evidence: how far the method goes, see EVIDENCE: the
    attention map alone, the coarse mask, with the pixel residual, with the feature residual too."""

    modality: str
    coarse: CoarseSettings
    inpainting: PseudoHealthySettings
    grow_mm: float
    grow_pixels: float
    evidence: str

    @staticmethod
    def of(
        run: RunOptions, card: Mapping[str, Any], economy: Economy | None = None
    ) -> RunSettings:
        """economy: see cut_down. Raises ModelError for a card with settings that do not exist."""
        coarse = _settings(CoarseSettings(), card.get("coarse", {}), "coarse")
        inpainting = _settings(PseudoHealthySettings(), card.get("inpainting", {}), "inpainting")
        chosen = run.parameters
        changed: dict[str, Any] = {}
        if run.samples is not None:
            changed["seeds"] = run.samples
        for name in ("start", "steps", "jumps"):
            if chosen.get(name):
                changed[name] = chosen[name]
        cut = cut_down(economy)
        changed["places_at_once"] = cut.places(inpainting.places_at_once)
        if cut.smallest:
            changed["window"] = inpainting.smallest_window
        return RunSettings(
            str(chosen.get("modality", "auto")),
            coarse,
            replace(inpainting, **changed),
            float(chosen.get("grow_mm", 0.0)),
            float(card.get("grow_pixels", _GROW_PIXELS)),
            str(chosen.get("evidence", EVIDENCE[-1])),
        )


def _settings(base: Any, values: Mapping[str, Any], name: str) -> Any:
    known = {field.name for field in fields(base)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ModelError(
            f"The card's {name} settings name {unknown[0]!r}, which does not exist; known are "
            f"{', '.join(sorted(known))}."
        )
    try:
        changed = replace(base, **values)
    except (TypeError, ValueError) as error:
        raise ModelError(f"The card's {name} settings are not usable: {error}.") from error
    return changed
