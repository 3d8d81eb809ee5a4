import csv
import random
import signal

import pytest
import torch

from DiffusionSegLib.errors import Cancelled, InputError
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.checkpoint import load_checkpoint
from DiffusionSegLib.training.diffugts.stages import networks_config, train_diffugts
from Testing.Library.backbones.compact.tiny import WIDTH
from Testing.Library.training.diffugts.tiny import tiny_settings
from Testing.Library.training.forking import Runs

STAGES = ("maps", "choice", "marked", "residual")


@pytest.fixture
def train(backbone, pack, prepared):
    def run(folder, progress=None, **changes):
        config = networks_config(backbone, WIDTH)
        told, settings = progress or Progress.silent(), tiny_settings(**changes)
        return train_diffugts(pack, prepared, config, settings, folder, "cpu", told)

    return run


def rows(folder, stage):
    with open(folder / stage / "log.csv", newline="", encoding="utf-8") as stream:
        found = list(csv.DictReader(stream))
    return [{k: v for k, v in row.items() if k != "seconds"} for row in found]


def assert_same_run(one, other):
    for stage in STAGES:
        assert rows(one, stage) == rows(other, stage)
        first, second = (load_checkpoint(f / stage / "checkpoint.pt") for f in (one, other))
        for name, value in first["network"].items():
            assert torch.equal(value, second["network"][name]), (stage, name)
        assert torch.equal(first["rng"], second["rng"])
        for name in ("done", "measured", "settings"):
            assert first[name] == second[name]


class StopAfter:
    """Cancels at the given report."""

    def __init__(self, reports):
        self.left = reports

    def __call__(self):
        self.left -= 1
        return self.left < 0


@pytest.mark.parametrize("reports", [1, 6, 30, 38])
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(train, tmp_path, reports):
    train(tmp_path / "whole")
    with pytest.raises(Cancelled):
        train(tmp_path / "parts", Progress(cancelled=StopAfter(reports)))
    torch.manual_seed(77)  # nothing outside the checkpoint decides
    train(tmp_path / "parts")
    assert_same_run(tmp_path / "whole", tmp_path / "parts")


def test_the_seed_decides(train, tmp_path):
    found = [train(tmp_path / n, seed=s) for n, s in (("one", 0), ("same", 0), ("other", 1))]
    assert_same_run(tmp_path / "one", tmp_path / "same")
    first, same, other = (run.networks.state_dict() for run in found)
    assert all(torch.equal(value, same[name]) for name, value in first.items())
    assert not torch.equal(first["choice.weigh.weight"], other["choice.weigh.weight"])


def test_a_run_may_not_be_changed(train, tmp_path):
    train(tmp_path)
    with pytest.raises(InputError, match="another leave_out"):
        train(tmp_path, leave_out="bright")
    with pytest.raises(InputError, match="another maps_batch"):
        train(tmp_path, maps_batch=3)


def test_it_learns(train, tmp_path):
    """Tumors of the validation part, in random cuts, are outlined much better than at first."""
    few = train(tmp_path / "few")
    much = train(
        tmp_path / "much", maps_steps=60, choice_steps=300, marked_steps=200, residual_steps=60,
        choice_rate=2e-2, validate_every=100,
    )  # fmt: skip
    before, after = (dice_of(run, "validation") for run in (few, much))
    assert after > 0.6 and after > before + 0.1
    marked = [row["marked_dice"] for row in much.measured if "marked_dice" in row]
    assert min(marked) > 0.6


def dice_of(run, split):
    own = [row["dice"] for row in run.measured if row["split"] == split and "median_dice" in row]
    return sum(own) / len(own)


def test_what_was_left_out_is_measured_apart(train, tmp_path):
    found = train(tmp_path, leave_out="bright")
    kinds = {(r["split"], r["source"]) for r in found.measured if "median_dice" in r}
    assert kinds == {("train", "dark"), ("validation", "dark"), ("left out", "bright")}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")
def test_killed_at_random_moments_it_ends_with_the_same_weights(tmp_path):
    steps, rng = 6, random.Random(0)
    with Runs("Testing.Library.training.diffugts.run_tiny") as runs:
        step_s = runs.whole(tmp_path / "whole", steps)
        moments = [(rng.randint(0, 6), rng.uniform(0, step_s)) for _ in range(4)]
        kills = sum(runs.killed(tmp_path / "killed", steps, *moment) for moment in moments)
        runs.whole(tmp_path / "killed", steps)
    assert kills >= 2
    assert_same_run(tmp_path / "whole", tmp_path / "killed")
