import dataclasses
import json
import shlex

import pytest

from DiffusionSegLib.training.cdal.recorded_command import training_command
from DiffusionSegLib.training.cdal.settings import load_task

HIPPOCAMPUS = load_task("hippocampus")


def test_the_tasks_own_command_is_recorded_as_it_is():
    assert training_command(HIPPOCAMPUS, 0) == HIPPOCAMPUS.card["command"]


def test_settings_given_beside_it_are_recorded_and_parse_back():
    given = {"steps": 3000, "mode": "adversarial", "betas": [0.5, 0.9], "bf16": False}
    words = shlex.split(training_command(load_task("hippocampus", given), 0))
    texts = [words[n + 1].partition("=") for n, word in enumerate(words) if word == "--set"]
    parsed = {name: text if name == "mode" else json.loads(text) for name, _, text in texts}
    assert parsed == given


@pytest.mark.parametrize(
    ("stage", "before", "now"),
    [
        (1, "hippocampus", "hippocampus-2"),
        (2, "hippocampus-2", "hippocampus-3"),
    ],
)
def test_later_runs_continue_from_the_one_before(stage, before, now):
    words = shlex.split(training_command(HIPPOCAMPUS, stage))
    assert words[words.index("--continue-from") + 1] == f"runs/{before}/checkpoint.pt"
    assert words[words.index("--output") + 1] == f"runs/{now}"
    assert words.count("--output") == 1


def test_a_task_without_a_command_gets_the_shortest():
    bare = dataclasses.replace(HIPPOCAMPUS, card={})
    assert training_command(bare, 0) == "diffusionseg train cdal --task hippocampus"


def test_settings_that_are_not_known_are_left_out():
    task = load_task("hippocampus", {"steps": 3000})
    assert training_command(task, 1, plain=True).count("--set") == 0
