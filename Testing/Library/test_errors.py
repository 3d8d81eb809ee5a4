import inspect

import pytest

from DiffusionSegLib import errors


def test_every_error_is_caught_by_the_family() -> None:
    classes = [
        member
        for _, member in inspect.getmembers(errors, inspect.isclass)
        if issubclass(member, Exception)
    ]
    assert len(classes) >= 9
    assert all(issubclass(one, errors.DiffusionSegError) for one in classes)
    assert issubclass(errors.GeometryError, errors.InputError)
    assert issubclass(errors.PromptError, errors.InputError)
    assert issubclass(errors.UnknownNameError, errors.InputError)
    assert not issubclass(errors.OutputError, errors.InputError)


def test_cancelled_has_a_text() -> None:
    assert str(errors.Cancelled()) == "Cancelled."


@pytest.mark.parametrize(
    ("wrong", "suggested"), [("hipocampus", "hippocampus"), ("LIVER", "liver")]
)
def test_unknown_name_suggests_the_nearest(wrong: str, suggested: str) -> None:
    text = str(errors.unknown_name("model", wrong, ["liver", "hippocampus"]))
    assert f"Did you mean {suggested!r}?" in text
    assert repr(wrong) in text
    assert "hippocampus, liver" in text


def test_unknown_name_lists_what_there_is_when_nothing_is_near() -> None:
    text = str(errors.unknown_name("model", "xyz", ["liver"]))
    assert "Did you mean" not in text
    assert "Available: liver." in text
    assert "no method is available" in str(errors.unknown_name("method", "xyz", []))
