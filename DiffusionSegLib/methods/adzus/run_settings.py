"""The parameters of a run, with their defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from DiffusionSegLib.methods.adzus.embedding import PlaneSettings
from DiffusionSegLib.methods.adzus.pass_sides import kept_planes, largest_side
from DiffusionSegLib.methods.adzus.settings import RegionSettings
from DiffusionSegLib.methods.contract import RunOptions, Value
from DiffusionSegLib.methods.forecast import Economy

__all__ = ["RunSettings"]

_PUBLISHED = RegionSettings()
_REGION_PARAMETERS = ("resolution_power", "anchors", "tau", "rounds", "kmeans")


@dataclass(frozen=True)
class RunSettings:
    """plane: of the pass; regions: of the published algorithm; the rest by the names of the
    parameters."""

    plane: PlaneSettings
    regions: RegionSettings
    granularity: float
    evidence: str

    @classmethod
    def of(
        cls,
        run: RunOptions,
        model_settings: Mapping[str, object],
        economy: Economy | None = None,
    ) -> RunSettings:
        """What the run says, else the model's card, else the usual. Raises InputError."""
        given = run.parameters
        usual = int(str(model_settings.get("timestep", 100)))
        timestep = int(given.get("timestep", 0)) or usual
        regions: dict[str, Value] = {n: given[n] for n in _REGION_PARAMETERS if n in given}
        if not regions.get("tau"):
            regions["tau"] = float(str(model_settings.get("tau", _PUBLISHED.tau)))
        return cls(
            PlaneSettings(
                timestep,
                str(given.get("window", "auto")),
                largest_side(economy),
                kept_planes(economy),
            ),
            RegionSettings.of(regions),
            float(given.get("granularity", 0.5)),
            str(given.get("evidence", "both")),
        )
