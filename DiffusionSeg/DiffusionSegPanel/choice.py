"""Which method and model the saved names stand for, out of what the worker describes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from slicer.i18n import tr as _

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.worker.setup import Setup

__all__ = ["Choice", "chosen", "methodParameters", "modelsOf", "smallPrint", "withMethodParameters"]


@dataclass(frozen=True)
class Choice:
    """A MethodDescription and a ModelSummary; None where the worker has none."""

    method: Any
    model: Any

    @property
    def prompts(self) -> frozenset[str]:
        """The kinds of prompts that are taken; a region limits every method."""
        return (self.method.prompts if self.method else frozenset()) | {"region"}

    @property
    def inputs(self) -> tuple[Any, ...]:
        """The model's ModelInputs."""
        return self.model.inputs if self.model else ()

    @property
    def live(self) -> tuple[Any, ...]:
        """The ParameterSpecs whose change is answered at once."""
        specs = self.method.parameters if self.method else ()
        return tuple(spec for spec in specs if spec.live)

    def parameters(self, parameterNode: Any) -> dict[str, Any]:
        """The values saved for the method, without those it would refuse."""
        saved = methodParameters(parameterNode.parametersJson, self.method.name)
        return _usable(self.method, saved)

    def setup(self, parameterNode: Any, device: str) -> Setup:
        """What to compute with; values out of range are left out, as if they were not saved."""
        return Setup(
            self.method.name,
            self.model.name if self.model else None,
            device,
            parameterNode.seed,
            parameterNode.samples or None,
            self.parameters(parameterNode),
        )

    def cost(self, setup: Setup) -> Setup:
        """A Setup without what does not change the cost of a run: the live parameters."""
        live = {spec.name for spec in self.live}
        kept = {name: value for name, value in setup.parameters.items() if name not in live}
        return replace(setup, parameters=kept)


def chosen(catalogue: Any, methodName: str, modelName: str) -> Choice:
    """The named ones, or the defaults where a name is empty or unknown to this worker.

    A model's name alone also says whose it is.
    """
    methods, models = (catalogue.methods, catalogue.models) if catalogue else ((), ())
    owner = next((one.method for one in models if modelName and one.name == modelName), "")
    method = _named(methods, methodName or owner) or next(iter(methods), None)
    models = modelsOf(catalogue, method.name) if method else ()
    default = next((model for model in models if model.default), next(iter(models), None))
    return Choice(method, _named(models, modelName) or default)


def modelsOf(catalogue: Any, methodName: str) -> tuple[Any, ...]:
    """The models of a method that are installed where the worker runs."""
    models = catalogue.models if catalogue else ()
    return tuple(model for model in models if model.method == methodName)


def methodParameters(text: str, methodName: str) -> dict[str, Any]:
    """The values saved for a method; empty when the text is not what this panel writes."""
    values = _saved(text).get(methodName, {})
    return dict(values) if isinstance(values, dict) else {}


def withMethodParameters(text: str, methodName: str, values: Mapping[str, Any]) -> str:
    """The text to save after the values of one method changed."""
    return json.dumps({**_saved(text), methodName: dict(values)}, sort_keys=True)


def smallPrint(choice: Choice) -> str:
    """Where the model must not be trusted, and what to cite."""
    parts = [choice.model.limits] if choice.model and choice.model.limits else []
    sources = [part.citation for part in (choice.method, choice.model) if part and part.citation]
    if sources:
        parts.append(_("Please cite:\n{sources}").format(sources="\n".join(sources)))
    return "\n\n".join(parts)


def _saved(text: str) -> dict[str, Any]:
    try:
        values = json.loads(text or "{}")
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def _named(entries: Any, name: str) -> Any:
    return next((entry for entry in entries if name and entry.name == name), None)


def _usable(method: Any, saved: Mapping[str, Any]) -> dict[str, Any]:
    usable = {}
    for spec in method.parameters:
        if spec.name in saved:
            try:
                usable[spec.name] = spec.validate(saved[spec.name])
            except InputError:
                continue
    return usable
