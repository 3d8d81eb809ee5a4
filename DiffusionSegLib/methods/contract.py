"""What a method is to everybody else. Importing this does not import torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from DiffusionSegLib.errors import InputError

if TYPE_CHECKING:
    from DiffusionSegLib.backbones.manifest import ModelEntry
    from DiffusionSegLib.nouns.image import Image
    from DiffusionSegLib.nouns.mask import Mask
    from DiffusionSegLib.nouns.prompt import Box, Prompt
    from DiffusionSegLib.nouns.proposal import Proposal
    from DiffusionSegLib.progress import Progress

__all__ = [
    "Estimating",
    "Method",
    "MethodDescription",
    "ParameterSpec",
    "Predictor",
    "RunOptions",
    "Workload",
]

Value = bool | int | float | str


@dataclass(frozen=True)
class ParameterSpec:
    """One parameter of a method, with its range: enough for a command line and for a panel.

    type: "int", "float", "bool" or "choice". source: the paper's place, or "our choice". live: a
    changed value is answered at once, without another pass of the network over the image, so that
    a panel may propose again while the user drags it.
    """

    name: str
    type: str
    default: Value
    title: str
    description: str
    source: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    live: bool = False

    def parse(self, text: str) -> Value:
        """The value of a text such as "4" or "true"; raises InputError."""
        try:
            value = _PARSERS[self.type](text)
        except ValueError as error:
            raise InputError(
                f"The parameter {self.name} takes {self._wanted()}, not {text!r}."
            ) from error
        return self.validate(value)

    def validate(self, value: object) -> Value:
        """The value itself when it is of the type and in the range; raises InputError."""
        if not self._is_right(value):
            raise InputError(f"The parameter {self.name} takes {self._wanted()}, not {value!r}.")
        if self.type == "int" and isinstance(value, int | float):
            return int(value)
        return value  # type: ignore[return-value]

    def _is_right(self, value: object) -> bool:
        if self.type == "bool":
            return isinstance(value, bool)
        if self.type == "choice":
            return value in self.choices
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        whole = self.type == "float" or float(value).is_integer()
        return whole and self._low <= float(value) <= self._high

    @property
    def _low(self) -> float:
        return float("-inf") if self.minimum is None else self.minimum

    @property
    def _high(self) -> float:
        return float("inf") if self.maximum is None else self.maximum

    def _wanted(self) -> str:
        if self.type == "choice":
            return "one of " + ", ".join(self.choices)
        if self.type == "bool":
            return "true or false"
        kind = "a whole number" if self.type == "int" else "a number"
        return f"{kind} from {self._low:g} to {self._high:g}"


def _truth(text: str) -> bool:
    lowered = text.strip().lower()
    if lowered in ("true", "yes", "on", "1"):
        return True
    if lowered in ("false", "no", "off", "0"):
        return False
    raise ValueError(text)


_PARSERS: Mapping[str, Any] = {"int": int, "float": float, "bool": _truth, "choice": str}


@dataclass(frozen=True)
class MethodDescription:
    """What a front end shows. prompts: subset of text, points, boxes, scribbles, region."""

    name: str
    title: str
    summary: str
    citation: str
    prompts: frozenset[str]
    parameters: tuple[ParameterSpec, ...]
    refines: bool
    trains: bool


@dataclass(frozen=True)
class RunOptions:
    """How to run. samples: None for the model's default; parameters: by ParameterSpec name.

    preview: progress reports carry a function that makes the estimate so far, an Image
    (labels, K, J, I) on the grid that the method works on. Who listens may call it before the
    report returns, and need not.
    """

    seed: int = 0
    samples: int | None = None
    parameters: Mapping[str, Value] = field(default_factory=dict)
    preview: bool = False


class Predictor(Protocol):
    """A method with one model loaded on one device."""

    def embed(self, image: Image, region: Box | None, progress: Progress) -> Any:
        """The expensive, prompt-free part; its result is cached and given back below."""

    def propose(
        self, embedding: Any, prompt: Prompt, run: RunOptions, progress: Progress
    ) -> Proposal:
        """The cheap, repeatable part."""

    def refine(
        self,
        embedding: Any,
        mask: Mask,
        prompt: Prompt,
        run: RunOptions,
        progress: Progress,
        original: Mask | None,
    ) -> Proposal:
        """Improve an edited mask. Voxels in which it differs from ``original`` are the user's."""


@dataclass(frozen=True)
class Workload:
    """What a run has to do. units: proportional to its time on one device; words: "27 windows, up
    to 5 samples"; memory_bytes: of its result and running sums, without the network's own;
    exact: False when the run may turn out to have less to do, so that its time tells no rate."""

    units: float
    words: str
    memory_bytes: int = 0
    exact: bool = True


@runtime_checkable
class Estimating(Protocol):
    """What a Predictor may offer besides, so that a long run can be announced."""

    def workload(self, embedding: Any, prompt: Prompt, run: RunOptions) -> Workload:
        """Of a propose with these arguments; computes nothing."""

    def trial(self, embedding: Any, run: RunOptions, progress: Progress) -> float:
        """Do one short step of such a run, and tell how many units it was."""


class Method(Protocol):
    """A method package's METHOD object."""

    @property
    def description(self) -> MethodDescription:
        """What front ends show."""

    def open(self, model: ModelEntry, device: str) -> Predictor:
        """Load a model; imports torch here and not before."""
