"""Names typed by the user against a terminology."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from DiffusionSegBridge.new_segment import addSegment, createSegmentationFor
from DiffusionSegBridge.terminology import completions, labelFor
from DiffusionSegLib.nouns.label import Label
from Testing.Slicer.Bridge.made import volume

pytestmark = pytest.mark.slicer
FILE = Path(__file__).parent / "terminologies" / "Bridge.term.json"
CONTEXT = "Segmentation category and type - test of the bridge"
PLAIN = Label(3, "Thing", (0.1, 0.2, 0.3), "of~the~model")
EVERYTHING = ["Cyst of kidney", "Gallbladder", "Kidney", "Left Kidney", "Right kidney"]


@pytest.fixture
def words(scene: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A Terminologies module that knows only the test's file."""
    import slicer

    logic = slicer.vtkSlicerTerminologiesModuleLogic()
    assert logic.LoadTerminologyFromFile(str(FILE)) == CONTEXT
    use(monkeypatch, logic)
    return scene


def use(monkeypatch: pytest.MonkeyPatch, logic: Any) -> None:
    import slicer

    modules = ModuleType("slicer.modules")
    if logic is not None:
        modules.terminologies = ModuleType("terminologies")  # type: ignore[attr-defined]
        modules.terminologies.logic = lambda: logic
    monkeypatch.setattr(slicer, "modules", modules)


def test_all_names(words: Any) -> None:
    assert completions("") == EVERYTHING


def test_names_that_begin_so_come_first(words: Any) -> None:
    assert completions("KID") == ["Kidney", "Cyst of kidney", "Left Kidney", "Right kidney"]
    assert completions("gall") == ["Gallbladder"]
    assert completions("idney") == []


@pytest.mark.parametrize(
    ("typed", "name", "code", "color"),
    [
        ("kidney", "Kidney", "SCT^64033007^Kidney~^^", (185, 102, 83)),
        ("right  KIDNEY", "Right kidney", "64033007^Kidney~SCT^24028007^Right", (212, 126, 151)),
        ("Kidney, right", "Right kidney", "64033007^Kidney~SCT^24028007^Right", (212, 126, 151)),
        # without a colour of its own the modifier takes its type's
        ("left kidney", "Left Kidney", "64033007^Kidney~SCT^7771000^Left", (185, 102, 83)),
        ("Gallbladder", "Gallbladder", "28231008^Gallbladder structure", (139, 150, 98)),
        ("gallbladder structure", "Gallbladder", "28231008^Gallbladder", (139, 150, 98)),
    ],
)
def test_a_known_name(
    words: Any, typed: str, name: str, code: str, color: tuple[int, int, int]
) -> None:
    label = labelFor(typed, PLAIN)
    assert label.value == 3 and label.name == name
    assert label.terminology.startswith(f"{CONTEXT}~SCT^123037004^Anatomical Structure~")
    assert code in label.terminology
    assert label.color_rgb == pytest.approx([part / 255 for part in color])


def test_a_type_without_color_keeps_the_labels(words: Any) -> None:
    label = labelFor("cyst of kidney", PLAIN)
    assert label.color_rgb == PLAIN.color_rgb and "49755003" in label.terminology


@pytest.mark.parametrize("typed", ["", "  ", "kidneys", "the kidney", "spleen", ",", "kid"])
def test_an_unknown_name_changes_nothing(words: Any, typed: str) -> None:
    assert labelFor(typed, PLAIN) is PLAIN


def test_slicer_understands_the_entry_on_a_segment(words: Any) -> None:
    import slicer

    target = createSegmentationFor(volume(words), "X")
    identifier = addSegment(target, labelFor("kidney right", PLAIN))
    segment = target.GetSegmentation().GetSegment(identifier)
    entry = slicer.vtkSlicerTerminologyEntry()
    logic = slicer.modules.terminologies.logic()
    assert logic.DeserializeTerminologyEntry(segment.GetTerminology(), entry)
    assert entry.GetTypeObject().GetCodeMeaning() == "Kidney"
    assert entry.GetTypeModifierObject().GetCodeMeaning() == "Right"
    assert entry.GetCategoryObject().GetCodeMeaning() == "Anatomical Structure"


def test_without_a_terminology_nothing_is_known(
    scene: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import slicer

    for logic in (slicer.vtkSlicerTerminologiesModuleLogic(), None):
        use(monkeypatch, logic)
        assert completions("") == [] and labelFor("kidney", PLAIN) is PLAIN
