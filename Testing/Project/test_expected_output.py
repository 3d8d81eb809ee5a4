"""How strictly an output that a document shows is compared."""

import pytest

from Testing.Project.expected_output import missing_lines

SAID = """\
case                 Dice   seconds
hippocampus_033     0.879      2.59  FOUND (0.92)
hippocampus_039     0.904      2.68  FOUND (0.91)

3 cases measured in 7.9 s
"""


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "case Dice seconds",
        "hippocampus_033     0.890      2.59  FOUND (0.90)",
        "hippocampus_039 0.904 … FOUND (0.91)",
        "case … seconds\n3 cases measured in 99.1 s",
    ],
)
def test_it_is_there(shown: str) -> None:
    assert missing_lines(shown, SAID) == []


@pytest.mark.parametrize(
    "shown",
    [
        "hippocampus_033     0.820      2.59  FOUND (0.92)",
        "hippocampus_039     0.904      2.68  UNCERTAIN (0.91)",
        "4 cases measured in 7.9 s",
        "hippocampus_067 0.904 … FOUND (0.91)",
        "hippocampus_039 0.904 … FOUND (0.91)\ncase Dice seconds",
    ],
)
def test_it_is_not(shown: str) -> None:
    assert len(missing_lines(shown, SAID)) == 1
