"""Everything that decides a cDAL training run, as plain data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.methods.cdal.config import DiscriminatorConfig, GeneratorConfig
from DiffusionSegLib.methods.cdal.intensity import IntensityRule
from DiffusionSegLib.methods.cdal.model_grid import ModelGrid


@dataclass(frozen=True)
class Augmentation:
    """Random changes of a training window; each is drawn uniformly within ±value unless noted.

    rotate_deg: about the slice normal (2D, 3D); tilt_deg: about the other two axes (3D).
    scale: log-range, 0.2 means 0.82 to 1.22. shift: fraction of the image that the window's centre
    may move. flips: axes (k, j, i) that may be mirrored. quarter_turns: by 90° in plane.
    gain, bias, gamma: of intensities in [-1, 1]; noise: largest standard deviation; blur:
    probability of a 3-wide smoothing. color: independent gain per channel. invert: probability of
    a negative. channel_dropout: probability that one of several channels is absent.
    background: probability of choosing a window without the object, as a negative.
    channelwise: whether gain, bias and gamma are drawn anew for each channel. elastic: standard
    deviation of a smooth displacement, in voxels. field: of a smooth brightness, as a logarithm.
    contrast: largest loss of contrast, as a logarithm; for objects that hardly stand out.
    """

    rotate_deg: float = 15.0
    tilt_deg: float = 0.0
    scale: float = 0.2
    shift: float = 0.1
    flips: tuple[int, ...] = ()
    quarter_turns: bool = False
    gain: float = 0.2
    bias: float = 0.1
    gamma: float = 0.2
    noise: float = 0.05
    blur: float = 0.1
    color: float = 0.0
    invert: float = 0.0
    channel_dropout: float = 0.0
    background: float = 0.0
    channelwise: bool = False
    elastic: float = 0.0
    field: float = 0.0
    contrast: float = 0.0


@dataclass(frozen=True)
class TrainingSettings:
    """Optimisation of both networks.

    mode: "released" (squared error only) or "adversarial" (plus λ softplus(-D(fake))).
    attention_probability: share of generator steps whose clean mask is multiplied by the spatial
    attention (1 as released); attention_level: of the discriminator's features.
    corruption_probability: share of steps whose clean mask carries simulated user errors before
    noising, so that refinement learns to repair them (our choice, not in the paper).
    noise_share: share of the generator's samples that are trained at the noisiest step in any case
    (0 as released, where all steps are equally likely): there the outline comes from the image
    alone, and what is missed there no later step brings back.
    overlap_weight: weight of a soft Dice term beside the squared error (our choice; 0 as released).
    discriminator_every, r1_every: in generator steps (1 and 1 or 10 as released).
    """

    mode: str = "released"
    steps: int = 2000
    batch: int = 4
    learning_rate: float = 2e-4
    discriminator_rate: float = 1e-4
    final_rate: float = 1e-5
    warmup: int = 50
    betas: tuple[float, float] = (0.5, 0.9)
    clip: float = 1.0
    ema: float = 0.999
    adversarial_weight: float = 0.05
    attention_probability: float = 1.0
    attention_level: int = 2
    corruption_probability: float = 0.0
    noise_share: float = 0.0
    overlap_weight: float = 0.0
    r1: float = 1.0
    r1_every: int = 10
    discriminator_every: int = 1
    validate_every: int = 250
    negative_probability: float = 0.0
    bf16: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if self.mode not in ("released", "adversarial"):
            raise InputError(
                f"The training mode must be 'released' or 'adversarial', not {self.mode!r}."
            )


@dataclass(frozen=True)
class Task:
    """One model to train: what it sees, what it outlines, its networks and its optimisation."""

    name: str
    card: Mapping[str, Any]
    channels: tuple[str, ...]
    label_values: tuple[int, ...]
    intensity: tuple[IntensityRule, ...]
    grid: ModelGrid
    noise_steps: int
    generator: GeneratorConfig
    discriminator: DiscriminatorConfig
    training: TrainingSettings
    augmentation: Augmentation
    strata: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    source: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def labels(self) -> int:
        """Number of foreground labels."""
        return len(self.label_values)

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> Task:
        """Read the JSON layout of tasks/*.json."""
        try:
            return Task(
                name=values["name"],
                card=values["card"],
                channels=tuple(values["channels"]),
                label_values=tuple(values["label_values"]),
                intensity=tuple(IntensityRule.from_dict(v) for v in values["intensity"]),
                grid=ModelGrid.from_dict(values["grid"]),
                noise_steps=int(values["noise_steps"]),
                generator=GeneratorConfig.from_dict(values["generator"]),
                discriminator=DiscriminatorConfig.from_dict(values["discriminator"]),
                training=_build(TrainingSettings, values["training"]),
                augmentation=_build(Augmentation, values["augmentation"]),
                strata=tuple(values.get("strata", ())),
                exclude=tuple(values.get("exclude", ())),
                suffixes=tuple(values.get("suffixes", ())),
                source=values,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"The training task is not usable: {error}.") from error


def load_task(name_or_path: str, overrides: Mapping[str, Any] | None = None) -> Task:
    """A shipped task by name, or a JSON file; ``overrides`` replace training settings."""
    path = Path(name_or_path)
    if path.suffix != ".json":
        shipped = files(__package__).joinpath("tasks", f"{name_or_path}.json")
        if not shipped.is_file():
            known = sorted(p.name[:-5] for p in files(__package__).joinpath("tasks").iterdir())
            raise InputError(f"There is no training task {name_or_path!r}; choose from {known}.")
        text = shipped.read_text(encoding="utf-8")
    elif not path.is_file():
        raise InputError(f"The training task {path} does not exist.")
    else:
        text = path.read_text(encoding="utf-8")
    try:
        values = json.loads(text)
        values["training"] = {**values["training"], **(overrides or {})}
        values["overrides"] = dict(overrides or {})
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"The training task {path} is not usable: {error!r}.") from error
    return Task.from_dict(values)


def _build(kind: type[Any], values: Mapping[str, Any]) -> Any:
    unknown = sorted(set(values) - {f.name for f in fields(kind)})
    if unknown:
        raise ValueError(f"unknown settings: {', '.join(unknown)}")
    chosen = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    for part in fields(kind):
        if part.name in chosen and not _is_like(chosen[part.name], part.default):
            raise ValueError(f"{part.name} cannot be {chosen[part.name]!r}")
    return kind(**chosen)


def _is_like(value: Any, default: Any) -> bool:
    """Whether a value is of its default's type; a whole number may stand for a real one."""
    if isinstance(default, float):
        return isinstance(value, float | int) and not isinstance(value, bool)
    return type(value) is type(default)
