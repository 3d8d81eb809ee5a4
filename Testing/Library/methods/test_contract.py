import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.methods.contract import ParameterSpec, RunOptions


def spec(kind, default=1, **more):
    return ParameterSpec("size", kind, default, "Size", "How large.", "our choice", **more)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("int", "4", 4), ("int", "-3", -3), ("float", "0.25", 0.25), ("float", "3", 3.0),
        ("bool", "true", True), ("bool", " Off ", False), ("bool", "1", True),
        ("bool", "no", False),
    ],
)  # fmt: skip
def test_text_is_read(kind, text, value):
    found = spec(kind).parse(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("kind", "text", "wanted"),
    [
        ("int", "4.5", "a whole number from 1 to 9"), ("int", "", "a whole number"),
        ("int", "0", "a whole number from 1 to 9"), ("int", "10", "a whole number from 1 to 9"),
        ("float", "wide", "a number"),
        ("float", "nan", "a number"), ("float", "0.5", "a number from 1 to 9"),
        ("bool", "maybe", "true or false"),
    ],
)  # fmt: skip
def test_text_that_does_not_fit_is_a_sentence(kind, text, wanted):
    with pytest.raises(InputError, match=f"The parameter size takes {wanted}.*, not "):
        spec(kind, minimum=1, maximum=9).parse(text)


def test_choices():
    chosen = spec("choice", "a", choices=("a", "b"))
    assert chosen.parse("b") == "b"
    for wrong in ("c", "", "A"):
        with pytest.raises(InputError, match="takes one of a, b, not"):
            chosen.parse(wrong)


@pytest.mark.parametrize("value", ["1", None, [1], True, 1.5, float("inf"), float("nan")])
def test_values_of_another_type_are_refused(value):
    with pytest.raises(InputError, match="takes a whole number"):
        spec("int").validate(value)


def test_whole_floats_become_ints_and_truth_is_no_number():
    assert type(spec("int").validate(3.0)) is int
    with pytest.raises(InputError, match="takes a number"):
        spec("float").validate(True)
    with pytest.raises(InputError, match="true or false"):
        spec("bool").validate(1)


@given(st.floats(), st.floats(-5, 5), st.floats(0, 5))
def test_a_number_passes_exactly_in_its_range(value, low, width):
    part = spec("float", minimum=low, maximum=low + width)
    if low <= value <= low + width:
        assert part.validate(value) == value
    else:
        with pytest.raises(InputError):
            part.validate(value)


def test_run_options_start_plain():
    run = RunOptions()
    assert (run.seed, run.samples, dict(run.parameters), run.preview) == (0, None, {}, False)


def test_asking_for_methods_does_not_import_torch():
    code = (
        "import sys; from DiffusionSegLib.methods.registry import get_method, method_names;"
        "[get_method(n).description for n in method_names()];"
        "import DiffusionSegLib.session; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
