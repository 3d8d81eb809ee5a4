"""`slicer.parameterNodeWrapper`: typed parameters of a module, kept in a MRML node.

Numbers, texts, booleans, enumerations, paths and nodes; lists, dictionaries and parameter packs are
left out. Values are written as the real one writes them.
"""

from __future__ import annotations

import enum
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import slicer
import vtk

from Testing.Harness.parameter_connectors import Connector, connector_for

__all__ = [
    "Choice",
    "Decimals",
    "Default",
    "Label",
    "Maximum",
    "Minimum",
    "SingleStep",
    "WithinRange",
    "findChildWidgetForParameter",
    "isParameterNodeWrapper",
    "parameterNodeWrapper",
]

_PROPERTY = "SlicerParameterName"


@dataclass(frozen=True)
class Default:
    """The value of a parameter that nobody has set."""

    value: Any


@dataclass(frozen=True)
class Label:
    """Shown beside a created widget."""

    label: str


@dataclass(frozen=True)
class Decimals:
    """For a created or connected number widget."""

    value: int


@dataclass(frozen=True)
class SingleStep:
    """For a created or connected number widget."""

    value: float


class Minimum:
    """Refuses smaller values."""

    def __init__(self, minimum: float) -> None:
        self.minimum = minimum

    def validate(self, value: Any) -> None:
        if value < self.minimum:
            raise ValueError(f"{value} is below {self.minimum}")


class Maximum:
    """Refuses larger values."""

    def __init__(self, maximum: float) -> None:
        self.maximum = maximum

    def validate(self, value: Any) -> None:
        if value > self.maximum:
            raise ValueError(f"{value} is above {self.maximum}")


class WithinRange:
    """Refuses values outside."""

    def __init__(self, minimum: float, maximum: float) -> None:
        self.minimum, self.maximum = minimum, maximum

    def validate(self, value: Any) -> None:
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"{value} is not within {self.minimum} and {self.maximum}")


class Choice:
    """Refuses everything else."""

    def __init__(self, choices: typing.Sequence[Any]) -> None:
        self.choices = list(choices)

    def validate(self, value: Any) -> None:
        if value not in self.choices:
            raise ValueError(f"{value} is not one of {self.choices}")


class _Parameter:
    """One annotated name of the wrapped class: how it is checked, written and read."""

    def __init__(self, name: str, hint: Any, given: Any) -> None:
        extras = getattr(hint, "__metadata__", ())
        self.name = name
        self.kind = typing.get_args(hint)[0] if extras else hint
        self.is_node = isinstance(self.kind, type) and issubclass(self.kind, slicer.vtkMRMLNode)
        self.annotations = extras
        self.validators = [extra for extra in extras if hasattr(extra, "validate")]
        chosen = next((extra.value for extra in extras if isinstance(extra, Default)), given)
        self.default = self._plain_default() if chosen is None else chosen
        if not self.is_node:
            self.check(self.default)

    def _plain_default(self) -> Any:
        if self.is_node:
            return None
        return next(iter(self.kind)) if issubclass(self.kind, enum.Enum) else self.kind()

    def check(self, value: Any) -> None:
        allowed = (int, float) if self.kind is float else self.kind
        if self.is_node and value is None:
            return
        if not isinstance(value, allowed):
            raise TypeError(f"{self.name} takes {self.kind.__name__}, not {value!r}")
        for validator in self.validators:
            validator.validate(value)

    def is_in(self, node: Any) -> bool:
        if self.is_node:
            return node.GetNodeReferenceID(self.name) is not None
        return self.name in node.GetParameterNames()

    def write(self, node: Any, value: Any) -> None:
        self.check(value)
        if self.is_node:
            node.SetNodeReferenceID(self.name, value.GetID() if value is not None else None)
        else:
            node.SetParameter(self.name, value.name if isinstance(value, enum.Enum) else str(value))

    def read(self, node: Any) -> Any:
        if self.is_node:
            return node.GetNodeReference(self.name)
        if not self.is_in(node):
            self.write(node, self.default)
        text = node.GetParameter(self.name)
        if self.kind is bool:
            return text == "True"
        return self.kind[text] if issubclass(self.kind, enum.Enum) else self.kind(text)

    def as_property(self) -> property:
        def read(wrapper: Any) -> Any:
            return self.read(wrapper.parameterNode)

        def write(wrapper: Any, value: Any) -> None:
            with slicer.util.NodeModify(wrapper.parameterNode):
                self.write(wrapper.parameterNode, value)

        return property(read, write)


class _Wrapper:
    """What the decorator adds to the class."""

    allParameters: typing.ClassVar[dict[str, _Parameter]]
    _is_parameter_node_wrapper = True

    def __init__(self, parameterNode: Any) -> None:
        self.parameterNode = parameterNode
        self._guis: dict[int, tuple[dict[str, Connector], int]] = {}
        self._updating = False
        for parameter in self.allParameters.values():
            if not parameter.is_in(parameterNode) and not parameter.is_node:
                parameter.write(parameterNode, parameter.default)

    def _parameter(self, name: str) -> _Parameter:
        if name not in self.allParameters:
            raise ValueError(f"no parameter {name!r}; there are {sorted(self.allParameters)}")
        return self.allParameters[name]

    def default(self, name: str) -> Default:
        return Default(self._parameter(name).default)

    def dataType(self, name: str) -> Any:
        return self._parameter(name).kind

    def getValue(self, name: str) -> Any:
        return self._parameter(name).read(self.parameterNode)

    def setValue(self, name: str, value: Any) -> None:
        setattr(self, self._parameter(name).name, value)

    # The connection with widgets

    def connectGui(self, gui: Any) -> int:
        """Connect every widget with the property SlicerParameterName."""
        widgets = (
            gui.findChildren("QWidget") if hasattr(gui, "isWidgetType") else vars(gui).values()
        )
        return self.connectParametersToGui(
            {str(w.property(_PROPERTY)): w for w in widgets if w.property(_PROPERTY)}
        )

    def connectParametersToGui(self, mapping: Mapping[str, Any]) -> int:
        connectors = {
            name: connector_for(
                widget, self._parameter(name).kind, self._parameter(name).annotations
            )
            for name, widget in mapping.items()
        }
        tag = max(self._guis, default=-1) + 1
        for name, connector in connectors.items():
            connector.write(self.getValue(name))
            connector.on_changed(self._callback(name, connector))
        event = vtk.vtkCommand.ModifiedEvent
        observer = self.AddObserver(event, lambda *_: self._show_values())
        self._guis[tag] = (connectors, observer)
        return tag

    def _callback(self, name: str, connector: Connector) -> typing.Callable[[], None]:
        def changed() -> None:
            if not self._updating:
                self.setValue(name, connector.read())

        return changed

    def _show_values(self) -> None:
        if self._updating:
            return
        self._updating = True
        try:
            for connectors, _ in list(self._guis.values()):
                for name, connector in connectors.items():
                    connector.write(self.getValue(name))
        finally:
            self._updating = False

    def disconnectGui(self, tag: int) -> None:
        if tag in self._guis:
            connectors, observer = self._guis.pop(tag)
            for connector in connectors.values():
                connector.on_changed(None)
            self.RemoveObserver(observer)

    # What the node itself offers

    def StartModify(self) -> int:
        return int(self.parameterNode.StartModify())

    def EndModify(self, before: int) -> int:
        return int(self.parameterNode.EndModify(before))

    def AddObserver(self, event: Any, callback: Any, priority: float = 0.0) -> int:
        return int(self.parameterNode.AddObserver(event, callback, priority))

    def RemoveObserver(self, tag: int) -> None:
        self.parameterNode.RemoveObserver(tag)

    def Modified(self) -> None:
        self.parameterNode.Modified()


def parameterNodeWrapper(classtype: type | None = None) -> Any:
    """The decorator."""
    if classtype is None:
        return parameterNodeWrapper
    hints = typing.get_type_hints(classtype, include_extras=True)
    classtype.allParameters = {
        name: _Parameter(name, hint, getattr(classtype, name, None)) for name, hint in hints.items()
    }
    for name, parameter in classtype.allParameters.items():
        setattr(classtype, name, parameter.as_property())
    for name, value in vars(_Wrapper).items():
        if not name.startswith("__") or name == "__init__":
            setattr(classtype, name, value)
    return classtype


def isParameterNodeWrapper(classOrObj: Any) -> bool:
    return bool(getattr(classOrObj, "_is_parameter_node_wrapper", False))


def findChildWidgetForParameter(widget: Any, parameter: str) -> Any:
    """The child with this SlicerParameterName, or None."""
    for child in widget.findChildren("QWidget"):
        if child.property(_PROPERTY) == parameter:
            return child
    return None
