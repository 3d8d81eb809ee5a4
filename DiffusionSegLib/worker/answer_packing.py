"""Answers as JSON and arrays, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from DiffusionSegLib.backbones.manifest import Licence, ModelInput
from DiffusionSegLib.methods.contract import MethodDescription, ParameterSpec
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.planning.plan import Plan
from DiffusionSegLib.worker.answers import (
    Catalogue,
    DeviceReport,
    Estimate,
    Hello,
    MemoryReport,
    ModelSummary,
    Preview,
)
from DiffusionSegLib.worker.frames import Frame
from DiffusionSegLib.worker.packing import (
    Arrays,
    pack_image,
    pack_proposal,
    readable,
    unpack_image,
    unpack_label,
    unpack_proposal,
)

__all__ = ["pack_answer", "unpack_answer"]

Values = Mapping[str, Any]


def pack_answer(number: int, answer: object) -> Frame:
    """The frame that answers request `number`."""
    arrays: list[Any] = []
    header: dict[str, Any] = {"kind": "answer", "id": number, "type": None, "value": None}
    if answer is not None:
        header["type"] = type(answer).__name__
        header["value"] = _pack(answer, arrays)
    return Frame(header, tuple(arrays))


def unpack_answer(frame: Frame) -> Any:
    """The reverse; raises WorkerError when it cannot be read, OutOfMemoryError without room."""
    if frame.problem is not None:
        raise frame.problem
    with readable("worker's answer"):
        if frame.header["type"] is None:
            return None
        return _UNPACK[frame.header["type"]](frame.header["value"], frame.arrays)


def _pack(answer: object, arrays: list[Any]) -> dict[str, Any]:
    if isinstance(answer, Proposal):
        return pack_proposal(answer, arrays)
    if isinstance(answer, Preview):
        return pack_image(answer.probability, arrays)
    values: dict[str, Any] = asdict(answer)  # type: ignore[call-overload]
    if isinstance(answer, Estimate) and answer.plan is not None:
        values["plan"] = answer.plan.to_dict()
    if isinstance(answer, Catalogue):
        for method in values["methods"]:
            method["prompts"] = sorted(method["prompts"])
    return values


def _hello(values: Values, arrays: Arrays) -> Hello:
    devices = tuple(DeviceReport(**device) for device in values["devices"])
    return Hello(**{**values, "devices": devices})


def _catalogue(values: Values, arrays: Arrays) -> Catalogue:
    return Catalogue(
        tuple(_method(method) for method in values["methods"]),
        tuple(_model(model) for model in values["models"]),
    )


def _method(values: Values) -> MethodDescription:
    parameters = tuple(
        ParameterSpec(**{**spec, "choices": tuple(spec["choices"])})
        for spec in values["parameters"]
    )
    prompts = frozenset(values["prompts"])
    return MethodDescription(**{**values, "parameters": parameters, "prompts": prompts})


def _model(values: Values) -> ModelSummary:
    return ModelSummary(
        **{
            **values,
            "modality": tuple(values["modality"]),
            "inputs": tuple(ModelInput(**part) for part in values["inputs"]),
            "labels": tuple(unpack_label(label) for label in values["labels"]),
            "licence": Licence(**values["licence"]),
        }
    )


def _estimate(values: Values, arrays: Arrays) -> Estimate:
    plan = values.get("plan")
    return Estimate(**{**values, "plan": None if plan is None else Plan.from_dict(plan)})


_UNPACK: Mapping[str, Callable[[Values, Arrays], Any]] = {
    "Hello": _hello,
    "Catalogue": _catalogue,
    "Estimate": _estimate,
    "MemoryReport": lambda values, arrays: MemoryReport(
        **{**values, "kept": tuple(values["kept"])}
    ),
    "Preview": lambda values, arrays: Preview(unpack_image(values, arrays)),
    "Proposal": unpack_proposal,
}
