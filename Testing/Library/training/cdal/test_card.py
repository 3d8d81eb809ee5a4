import pytest

from DiffusionSegLib.training.cdal.card import card_text

ENTRY = {
    "title": "Disc (test)",
    "summary": "Outlines discs.",
    "inputs": [{"name": "CT", "required": True}, {"name": "MR", "required": False}],
    "labels": [{"value": 1, "name": "Rim"}, {"value": 4, "name": "Core"}],
    "licence": {"name": "CC0 1.0", "url": "https://example.org/cc0"},
    "attribution": "Nobody",
    "citation": "None 2020",
    "splits": {"train": ["a", "b", "c"], "validation": ["d"], "test": ["e", "f"]},
    "metrics": [
        {"split": "validation", "dice": [0.9, 0.81234], "grid": "model"},
        {"split": "test", "dice": [0.5], "threads": 2},
    ],
    "training": {
        "data": "Discs", "command": "diffusionseg train cdal --task discs", "mode": "released",
        "steps": 12, "batch": 3, "seed": 7, "device": "cpu", "threads": 1, "seconds": 34,
        "parameters": 1234567, "date": "2020-02-02", "validation_negatives": 20,
        "validation_false_alarms": 1,
    },
    "limits": "Only discs.",
}  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        "# Disc (test)", "Outlines discs.", "**Not for clinical use.**", "not diffusion MRI",
        "Input: CT, MR (optional).", "Labels: 1 Rim, 4 Core.", "Nobody", "Cite: None 2020",
        "[CC0 1.0](https://example.org/cc0)", "3 train, 1 validation, 2 test cases",
        "1,234,567 parameters", "mode released, 12 steps of batch 3, seed 7, 34 processor seconds",
        "on cpu (1 thread), 2020-02-02", "```\ndiffusionseg train cdal --task discs\n```",
        "- Dice 0.900 / 0.812 on the validation part (grid model).",
        "- Dice 0.500 on the test part (threads 2).", "1 of 20 validation images without",
        "## Limits\n\nOnly discs.\n",
    ],
)  # fmt: skip
def test_the_card_says(words):
    assert words in card_text(ENTRY)


def test_nothing_is_made_up():
    other = {**ENTRY, "metrics": []}
    assert "Dice" not in card_text(other)
