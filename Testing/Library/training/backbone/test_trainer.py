import csv
import random
import signal

import pytest
import torch

from DiffusionSegLib.errors import Cancelled, InputError
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.backbone.stages import train_backbone
from DiffusionSegLib.training.checkpoint import load_checkpoint
from Testing.Library.backbones.compact.tiny import tiny_config
from Testing.Library.training.backbone.tiny import tiny_pack, tiny_settings
from Testing.Library.training.forking import Runs

STAGES = ("autoencoder", "denoiser")


@pytest.fixture(autouse=True)
def one_thread():
    """Sums in another order are other numbers; the child processes use one thread, too."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def train(folder, progress=None, **changes):
    settings = tiny_settings(**changes)
    told = progress or Progress.silent()
    return train_backbone(tiny_pack(), settings, folder, "cpu", told, tiny_config())


def rows(folder, stage):
    with open(folder / stage / "log.csv", newline="", encoding="utf-8") as stream:
        found = list(csv.DictReader(stream))
    return [{k: v for k, v in row.items() if k != "seconds"} for row in found]


def state(folder, stage):
    return load_checkpoint(folder / stage / "checkpoint.pt")


def assert_same_run(one, other):
    for stage in STAGES:
        assert rows(one, stage) == rows(other, stage)
        first, second = state(one, stage), state(other, stage)
        for part in ("network", "average"):
            for name, value in first[part].items():
                assert torch.equal(value, second[part][name]), (stage, part, name)
        assert torch.equal(first["rng"], second["rng"])
        for name in ("done", "updates", "measured", "settings"):
            assert first[name] == second[name]


class StopAfter:
    """Cancels at the given report, counted over both stages."""

    def __init__(self, reports):
        self.left = reports

    def __call__(self):
        self.left -= 1
        return self.left < 0


@pytest.mark.parametrize("reports", [1, 3, 5, 8])
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(tmp_path, reports):
    train(tmp_path / "whole")
    with pytest.raises(Cancelled):
        train(tmp_path / "parts", Progress(cancelled=StopAfter(reports)))
    torch.manual_seed(77)  # nothing outside the checkpoint decides
    train(tmp_path / "parts")
    assert_same_run(tmp_path / "whole", tmp_path / "parts")
    assert [row["step"] for row in rows(tmp_path / "whole", "denoiser")] == ["3", "6"]


def test_the_seed_decides(tmp_path):
    for name, seed in (("one", 0), ("same", 0), ("other", 1)):
        train(tmp_path / name, seed=seed)
    assert_same_run(tmp_path / "one", tmp_path / "same")
    first, other = (state(tmp_path / name, "denoiser")["average"] for name in ("one", "other"))
    assert not torch.equal(first["first.weight"], other["first.weight"])


def test_a_finished_run_stays_as_it_is(tmp_path):
    train(tmp_path)
    before = [rows(tmp_path, stage) for stage in STAGES]
    stages = train(tmp_path)
    assert [rows(tmp_path, stage) for stage in STAGES] == before
    assert (stages.autoencoder.done, stages.denoiser.done) == (4, 6)


def test_a_run_may_be_made_longer_but_not_changed(tmp_path):
    train(tmp_path)
    assert train(tmp_path, steps=8).denoiser.done == 8
    with pytest.raises(InputError, match="another batch"):
        train(tmp_path, steps=8, batch=3)
    with pytest.raises(InputError, match="another autoencoder_rate"):
        train(tmp_path, steps=8, autoencoder_rate=0.5)


def test_it_learns(tmp_path):
    """Two hundred steps on two kinds of pictures; both stages get much better than at first."""
    settings = {"warmup": 10, "validate_every": 200, "ema": 0.9, "decay": 0.2}
    few = train(tmp_path / "few", **settings | {"autoencoder_steps": 2, "steps": 2, "warmup": 2})
    much = train(
        tmp_path / "much", autoencoder_steps=200, steps=200, autoencoder_rate=3e-3, rate=3e-3,
        large_share=0.0, **settings,
    )  # fmt: skip
    before, after = (one.autoencoder.measured["validation_psnr"] for one in (few, much))
    assert after > before + 5
    before, after = (one.denoiser.measured["validation"] for one in (few, much))
    assert after < 0.75 * before


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")
def test_killed_at_random_moments_it_ends_with_the_same_weights(tmp_path):
    steps, rng = 10, random.Random(0)
    with Runs("Testing.Library.training.backbone.run_tiny") as runs:
        step_s = runs.whole(tmp_path / "whole", steps)
        moments = [(rng.randint(0, 6), rng.uniform(0, step_s)) for _ in range(3)]
        kills = sum(runs.killed(tmp_path / "killed", steps, *moment) for moment in moments)
        runs.whole(tmp_path / "killed", steps)
    assert kills >= 2
    assert_same_run(tmp_path / "whole", tmp_path / "killed")
