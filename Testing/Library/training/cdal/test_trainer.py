import csv
import os
import random
import time
from pathlib import Path

import pytest
import torch

from DiffusionSegLib.errors import Cancelled, InputError
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.cdal.pack import Pack
from DiffusionSegLib.training.cdal.trainer import Trainer
from DiffusionSegLib.training.checkpoint import load_checkpoint
from Testing.Library.training.cdal.tiny_task import disc_pack, tiny_task
from Testing.Library.training.forking import Runs


@pytest.fixture(autouse=True)
def one_thread():
    """Sums in another order are other numbers; the child processes use one thread, too."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def record(folder: Path) -> list[dict[str, str]]:
    """The rows of the run, without the time that they took."""
    with open(folder / "log.csv", newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows]


def assert_same_run(one: Path, other: Path) -> None:
    assert record(one) == record(other)
    first, second = load_checkpoint(one / "checkpoint.pt"), load_checkpoint(other / "checkpoint.pt")
    assert first.keys() == second.keys()
    for part in ("generator", "discriminator", "average", "best_weights"):
        for name, value in first[part].items():
            assert torch.equal(value, second[part][name]), (part, name)
    for part in ("step", "best", "updates"):
        assert first[part] == second[part]
    assert torch.equal(first["rng"], second["rng"])


def stop_after(trainer: Trainer, step: int) -> Progress:
    return Progress(cancelled=lambda: trainer.step >= step)


@pytest.mark.parametrize("mode", ["released", "adversarial"])
def test_six_steps_are_three_and_three(tmp_path, mode):
    task, pack = tiny_task(mode=mode), disc_pack()
    whole = Trainer(task, pack, tmp_path / "whole")
    best = whole.run(Progress.silent())
    assert whole.step == 6
    assert 0 <= best <= 1
    halves = Trainer(task, pack, tmp_path / "halves")
    with pytest.raises(Cancelled):
        halves.run(stop_after(halves, 3))
    assert halves.step == 3
    rest = Trainer(task, pack, tmp_path / "halves")
    torch.manual_seed(77)  # nothing outside the checkpoint decides
    assert rest.run(Progress.silent()) == best
    assert_same_run(tmp_path / "whole", tmp_path / "halves")
    assert [row["step"] for row in record(tmp_path / "whole")] == ["2", "4", "6"]


def test_a_finished_run_stays_as_it_is(tmp_path):
    task, pack = tiny_task(steps=2), disc_pack()
    best = Trainer(task, pack, tmp_path).run(Progress.silent())
    rows = record(tmp_path)
    again = Trainer(task, pack, tmp_path)
    assert again.run(Progress.silent()) == best
    assert again.step == 2
    assert record(tmp_path) == rows


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_ends_the_same(tmp_path):
    steps, chance = 12, random.Random(time.time_ns())
    whole = Trainer(tiny_task(steps=steps, mode="adversarial"), disc_pack(), tmp_path / "whole")
    whole.run(Progress.silent())
    folder = tmp_path / "killed"
    with Runs("Testing.Library.training.cdal.run_tiny") as runs:
        step_s = runs.whole(tmp_path / "timed", steps)
        moments = [(chance.randint(0, 2), chance.uniform(0, step_s)) for _ in range(3)]
        kills = sum(runs.killed(folder, steps, *moment) for moment in moments)
        # What a kill in the middle of writing leaves behind, in case none of the three hit it.
        (folder / "checkpoint.partial").write_bytes(b"PK\x03\x04 cut off")
        runs.whole(folder, steps)
    assert kills >= 1
    assert_same_run(tmp_path / "whole", folder)
    assert load_checkpoint(folder / "checkpoint.pt")["step"] == steps


def test_other_settings_do_not_continue_a_run(tmp_path):
    Trainer(tiny_task(steps=2), disc_pack(), tmp_path).run(Progress.silent())
    with pytest.raises(InputError, match="started with other settings"):
        Trainer(tiny_task(steps=2, batch=1), disc_pack(), tmp_path).run(Progress.silent())


def test_a_warm_restart_begins_with_the_weights_alone(tmp_path):
    pack, first = disc_pack(), Trainer(tiny_task(), disc_pack(), tmp_path / "first")
    first.run(Progress.silent())
    second = Trainer(
        tiny_task(steps=4, seed=3), pack, tmp_path / "second", start=first.checkpoint_path
    )
    second._resume()
    for part in ("generator", "discriminator"):
        old, new = getattr(first.steps, part), getattr(second.steps, part)
        assert all(map(torch.equal, old.state_dict().values(), new.state_dict().values()))
    average = second.steps.average
    assert average.updates == first.steps.average.updates
    assert (second.step, second.best, second.best_weights) == (0, -1.0, None)
    assert not second.steps.generator_optimiser.state_dict()["state"]


def test_a_warm_restart_resumes_like_any_run(tmp_path):
    Trainer(tiny_task(steps=2), disc_pack(), tmp_path / "first").run(Progress.silent())
    start, task = tmp_path / "first" / "checkpoint.pt", tiny_task(steps=6, seed=3)
    whole = Trainer(task, disc_pack(), tmp_path / "whole", start=start)
    best = whole.run(Progress.silent())
    halves = Trainer(task, disc_pack(), tmp_path / "halves", start=start)
    with pytest.raises(Cancelled):
        halves.run(stop_after(halves, 3))
    rest = Trainer(task, disc_pack(), tmp_path / "halves", start=start)
    assert rest.run(Progress.silent()) == best
    assert_same_run(tmp_path / "whole", tmp_path / "halves")
    assert [stage["steps"] for stage in rest.stages] == [2, 6]
    fresh = Trainer(task, disc_pack(), tmp_path / "fresh")
    fresh.run(Progress.silent())
    assert record(tmp_path / "fresh") != record(tmp_path / "whole")


def test_every_stage_is_recorded(tmp_path):
    start = None
    for number, steps in enumerate((2, 3, 4)):
        task = tiny_task(steps=steps)
        run = Trainer(task, disc_pack(), tmp_path / str(number), start=start)
        run.run(Progress.silent())
        start = run.checkpoint_path
    assert [stage["steps"] for stage in run.stages] == [2, 3, 4]
    assert [stage["command"].split()[-1] for stage in run.stages] == [
        "discs",
        "runs/discs/checkpoint.pt",
        "runs/discs-2/checkpoint.pt",
    ]
    assert all(stage["seconds"] > 0 for stage in run.stages)


def test_a_warm_restart_needs_a_checkpoint_of_such_networks(tmp_path):
    with pytest.raises(InputError, match=r"no checkpoint .*nowhere\.pt"):
        Trainer(tiny_task(), disc_pack(), tmp_path, start=tmp_path / "nowhere.pt").run(
            Progress.silent()
        )
    Trainer(tiny_task(steps=1), disc_pack(), tmp_path / "one").run(Progress.silent())
    other = Trainer(
        tiny_task(2), disc_pack(2), tmp_path / "two", start=tmp_path / "one" / "checkpoint.pt"
    )
    with pytest.raises(InputError, match="other networks than those of the task discs"):
        other.run(Progress.silent())


def test_the_best_weights_are_those_of_the_best_validation(tmp_path):
    trainer = Trainer(tiny_task(steps=8, learning_rate=5e-3), disc_pack(), tmp_path)
    best = trainer.run(Progress.silent())
    scores = [float(row["validation_dice"]) for row in record(tmp_path)]
    assert max(scores) == pytest.approx(best, abs=1e-5)
    assert trainer.best_weights is not None
    assert trainer.best_weights.keys() == trainer.steps.generator.state_dict().keys()


def test_a_worse_validation_does_not_replace_the_best(tmp_path):
    trainer = Trainer(tiny_task(), disc_pack(), tmp_path)
    first = trainer._validate()
    assert trainer.best == first
    trainer.best, trainer.best_weights = 2.0, {}
    assert trainer._validate() == first
    assert (trainer.best, trainer.best_weights) == (2.0, {})


def test_the_rate_warms_up_and_falls_to_its_end(tmp_path):
    trainer = Trainer(tiny_task(steps=100, warmup=10), disc_pack(), tmp_path)
    t, rates = trainer.task.training, []
    for step in range(101):
        trainer.step = step
        rates.append(trainer._set_rate())
    assert rates[0] == pytest.approx(t.learning_rate / 10, rel=0.01)
    assert max(rates) == max(rates[9:12])
    assert rates[100] == pytest.approx(t.final_rate)
    (group,) = trainer.steps.discriminator_optimiser.param_groups
    assert group["lr"] == pytest.approx(t.final_rate * t.discriminator_rate / t.learning_rate)


def test_progress_tells_how_far_training_is(tmp_path):
    reports = []
    Trainer(tiny_task(steps=4), disc_pack(), tmp_path).run(Progress(reports.append))
    assert [r.fraction for r in reports] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert reports[0].stage == "Training discs"


def test_too_few_images_are_a_sentence(tmp_path):
    few = Pack({"train": disc_pack().part("train")[:2]})
    with pytest.raises(InputError, match=r"no case to validate on and 2 to train on.* 6 images"):
        Trainer(tiny_task(), few, tmp_path)
