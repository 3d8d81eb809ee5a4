import pytest

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.nouns.label import Label, label_for, terminology_entry


def test_labels_get_names_and_colours() -> None:
    labels = [label_for(value) for value in range(1, 8)]
    assert labels[2].name == "Label 3"
    assert len({label.color_rgb for label in labels}) == 7
    assert label_for(2, "Liver").name == "Liver"


@pytest.mark.parametrize("value", [0, 256, -1])
def test_values_outside_a_byte_are_refused(value: int) -> None:
    with pytest.raises(InputError, match="1 to 255"):
        Label(value, "x")


@pytest.mark.parametrize("color", [(0, 0), (0, 0, 2), (0, 0, float("nan"))])
def test_impossible_colours_are_refused(color: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="0 to 1"):
        Label(1, "x", color)  # type: ignore[arg-type]


def test_terminology_has_seven_parts() -> None:
    entry = terminology_entry(
        ("SCT", "123037004", "Anatomical Structure"),
        ("SCT", "64033007", "Kidney"),
        ("SCT", "7771000", "Left"),
    )
    parts = entry.split("~")
    assert len(parts) == 7
    assert parts[2:4] == ["SCT^64033007^Kidney", "SCT^7771000^Left"]
