import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.nouns.provenance import Provenance

numbers = st.integers(-1000, 1000) | st.floats(-1e6, 1e6)


@given(
    text=st.text(max_size=40),
    words=st.text(max_size=40),
    values=st.dictionaries(st.text(max_size=8), numbers | st.text(max_size=8), max_size=3),
    seed=st.integers(0, 2**63),
)
def test_tags_and_json_carry_everything(
    text: str, words: str, values: dict[str, object], seed: int
) -> None:
    provenance = Provenance(
        "cdal", text, "ab" * 32, {"text": words}, seed, {"torch": "2.4"}, "cpu", 1.25, values, text,
        "2026-01-01T00:00:00+00:00", words,
    )  # fmt: skip
    tags = provenance.as_tags()
    assert all("|" not in part and part.isprintable() for part in tags.values())
    assert all(key.startswith("DiffusionSeg.") for key in tags)
    assert Provenance.from_tags(tags) == provenance
    assert Provenance.from_json(provenance.to_json()) == provenance


def test_tags_without_provenance_are_none() -> None:
    assert Provenance.from_tags({"Segmentation.Status": "completed"}) is None
    assert Provenance.from_tags({"DiffusionSeg.method": "x"}) is None


@pytest.mark.parametrize("text", ["", "[1]", '{"nothing": 1}', "{"])
def test_unreadable_json_is_an_input_error(text: str) -> None:
    with pytest.raises(InputError, match="provenance"):
        Provenance.from_json(text)


def test_the_time_is_in_utc() -> None:
    assert Provenance("m", "x").created.endswith("+00:00")


def test_what_was_written_before_there_were_rules_still_reads() -> None:
    old = Provenance("cdal", "cdal/x", created="2026-01-01T00:00:00+00:00")
    fields = {name: value for name, value in old.to_dict().items() if name != "rule"}
    assert Provenance.from_json(json.dumps(fields)) == old
    tags = {name: text for name, text in old.as_tags().items() if not name.endswith(".rule")}
    assert Provenance.from_tags(tags) == old
