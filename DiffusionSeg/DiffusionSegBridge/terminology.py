"""Names of structures that Slicer's terminologies know, with their codes and colours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from DiffusionSegBridge.nodes import Node
from DiffusionSegLib.nouns.label import Color, Label

__all__ = ["Structure", "completions", "labelFor", "structures"]

# What Slicer gives to a type without a colour of its own.
_NO_COLOR: Color = (127.0, 127.0, 127.0)


@dataclass(frozen=True)
class Structure:
    """A type of a terminology, or a type with a modifier ("Left kidney")."""

    name: str
    otherName: str
    colorRgb: Color | None
    terminology: str


def completions(prefix: str) -> list[str]:
    """Names that begin with `prefix`, then those with a word that does, each sorted; "" gives all.

    Empty when no terminology is loaded. Takes about 25 ms with the two that Slicer brings, so ask
    once for all when many are needed.
    """
    start = _plain(prefix)
    names = {structure.name for structure in structures()}
    first = sorted(name for name in names if _plain(name).startswith(start))
    inside = sorted(name for name in names if f" {start}" in _plain(name))
    return first + [name for name in inside if name not in set(first)]


def labelFor(text: str, default: Label) -> Label:
    """`default` with the name, codes and colour of the structure called `text`, where one is known.

    Case, commas and the order of the words do not count ("kidney, left"); nothing else is guessed.
    """
    wanted = _plain(text)
    if not wanted:
        return default
    known = list(structures())
    for same in (_plain, _bagOfWords):
        for structure in known:
            if same(wanted) in (same(structure.name), same(structure.otherName)):
                color = structure.colorRgb or default.color_rgb
                return replace(
                    default,
                    name=structure.name,
                    color_rgb=color,
                    terminology=structure.terminology,
                )
    return default


def structures() -> Iterator[Structure]:
    """Every type of every loaded terminology, in the order of the terminologies."""
    import slicer

    logic = _logic()
    if logic is None:
        return
    category = slicer.vtkSlicerTerminologyCategory()
    for context in _loaded(logic):
        for number in range(logic.GetNumberOfCategoriesInTerminology(context)):
            logic.GetNthCategoryInTerminology(context, number, category)
            yield from _inCategory(logic, context, category)


def _inCategory(logic: Node, context: str, category: Node) -> Iterator[Structure]:
    import slicer

    kind, modifier = slicer.vtkSlicerTerminologyType(), slicer.vtkSlicerTerminologyType()
    for number in range(logic.GetNumberOfTypesInTerminologyCategory(context, category)):
        logic.GetNthTypeInTerminologyCategory(context, category, number, kind)
        yield _structure(logic, context, category, kind)
        # Asking for the modifiers of a type that has none is an error in the log.
        if kind.GetHasModifiers():
            count = logic.GetNumberOfTypeModifiersInTerminologyType(context, category, kind)
            for index in range(count):
                logic.GetNthTypeModifierInTerminologyType(context, category, kind, index, modifier)
                yield _structure(logic, context, category, kind, modifier)


def _structure(
    logic: Node, context: str, category: Node, kind: Node, modifier: Node = None
) -> Structure:
    import slicer

    entry = slicer.vtkSlicerTerminologyEntry()
    entry.SetTerminologyContextName(context)
    entry.GetCategoryObject().Copy(category)
    entry.GetTypeObject().Copy(kind)
    meaning, named = kind.GetCodeMeaning() or "", kind
    if modifier is not None:
        entry.GetTypeModifierObject().Copy(modifier)
        meaning, named = f"{modifier.GetCodeMeaning()} {meaning}", modifier
    short = named.GetSlicerLabel() or meaning
    color = _color(named) or _color(kind)
    return Structure(_title(short), meaning, color, logic.SerializeTerminologyEntry(entry))


def _logic() -> Node | None:
    """The logic of Slicer's Terminologies module, where there is one."""
    import slicer

    module = getattr(getattr(slicer, "modules", None), "terminologies", None)
    return None if module is None else module.logic()


def _loaded(logic: Node) -> list[str]:
    import vtk

    names = vtk.vtkStringArray()
    logic.GetLoadedTerminologyNames(names)
    return [names.GetValue(index) for index in range(names.GetNumberOfValues())]


def _color(kind: Node) -> Color | None:
    red, green, blue = kind.GetRecommendedDisplayRGBValue()
    if (red, green, blue) == _NO_COLOR:
        return None
    return red / 255, green / 255, blue / 255


def _title(text: str) -> str:
    return text[:1].upper() + text[1:]


def _plain(text: str) -> str:
    return " ".join(text.replace(",", " ").casefold().split())


def _bagOfWords(text: str) -> str:
    return " ".join(sorted(_plain(text).split()))
