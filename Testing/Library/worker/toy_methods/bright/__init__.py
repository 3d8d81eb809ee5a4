"""A method for tests of the worker: what is bright, slowly or with accidents if asked for.

It follows the methods' contract, needs no weights, and imports nothing but numpy.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import replace

import numpy as np

from DiffusionSegLib.methods.contract import MethodDescription, ParameterSpec, Workload
from DiffusionSegLib.nouns.candidate import Candidate
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.nouns.provenance import Provenance
from DiffusionSegLib.nouns.verdict import PresenceVerdict, Verdict

FAULTS = ("none", "mistake", "exit", "print", "hang", "memory", "die", "crash", "package", "grow")


def _number(name, default, largest, kind="float"):
    return ParameterSpec(name, kind, default, name.title(), name, "our choice", 0, largest)


DESCRIPTION = MethodDescription(
    name="bright",
    title="Bright",
    summary="For tests: what is bright.",
    citation="None.",
    prompts=frozenset({"points", "boxes", "scribbles"}),
    parameters=(
        _number("steps", 1, 10_000, "int"),
        _number("pause", 0.0, 60.0),
        ParameterSpec(
            "gain", "float", 1.0, "Gain", "of the brightness", "our choice", 0.1, 2.0, live=True
        ),
        ParameterSpec("fault", "choice", "none", "Fault", "", "our choice", choices=FAULTS),
    ),
    refines=True,
    trains=False,
)


class Predictor:
    embedded = 0

    def __init__(self, model):
        self.model = model

    def embed(self, image, region, progress):
        Predictor.embedded += 1
        progress.report(0.5, "Looking at it")
        return image if region is None else image.crop(region.slices_kji(image.geometry)), image

    def propose(self, embedding, prompt, run, progress):
        part, image = embedding
        values = part.array[0].astype(np.float32)
        gain = float(run.parameters.get("gain", 1.0))
        estimate = np.minimum(gain * values / max(float(values.max()), 1.0), 1.0)
        done = self._work(part, estimate, run, progress)
        return self._proposal(part, image, estimate, prompt, run, done)

    def refine(self, embedding, mask, prompt, run, progress, original):
        part, image = embedding
        changed = np.zeros(1) if original is None else mask.array != original.array
        done = self._work(part, part.array[0].astype(np.float32), run, progress)
        run = replace(run, parameters={**run.parameters, "changed": int(changed.sum())})
        inside = (mask.resampled(part.geometry).array > 0).astype(np.float32)
        return self._proposal(part, image, inside, prompt, run, done)

    def workload(self, embedding, prompt, run):
        steps = int(run.parameters.get("steps", 1))
        return Workload(float(steps), f"{steps} steps", embedding[0].array.nbytes)

    def trial(self, embedding, run, progress):
        time.sleep(float(run.parameters.get("pause", 0.0)))
        return 1.0

    def _work(self, part, estimate, run, progress):
        _fail(str(run.parameters.get("fault", "none")))
        if run.parameters.get("fault") == "hang":
            progress.report(0.01, "Hanging")
        steps = int(run.parameters.get("steps", 1))
        done = 0
        for done in range(1, steps + 1):
            if run.parameters.get("fault") == "hang":  # notices nothing
                time.sleep(float(run.parameters.get("pause", 0.0)))
                continue
            time.sleep(float(run.parameters.get("pause", 0.0)))
            shown = estimate[None] * (done / steps)
            grid = replace(part, array=shown.astype(np.float32), channel_names=("spot",))
            progress.report(done / steps, "Drawing", lambda grid=grid: grid)
            if progress.enough:
                break
        return done

    def _proposal(self, part, image, probability, prompt, run, done):
        grid = replace(part, array=probability[None].astype(np.float16), channel_names=("spot",))
        parameters = {**run.parameters, "done": done}
        asked = prompt.to_dict()
        provenance = Provenance(
            "bright", self.model.id, prompt=asked, seed=run.seed, parameters=parameters
        )
        verdict = PresenceVerdict(Verdict.FOUND, 0.75, "It is bright.")
        doubt = replace(grid, array=grid.array * (1 - grid.array))
        proposal = Proposal(
            grid, self.model.labels, verdict, provenance, doubt, geometry=image.geometry
        )
        other = replace(proposal.mask(0.25), provenance=provenance)
        return Proposal(
            grid,
            self.model.labels,
            verdict,
            provenance,
            doubt,
            (Candidate(other, 0.25, "also what is dim"),),
            {"as it was": part},
            image.geometry,
        )


def _fail(kind):
    if kind == "mistake":
        raise ZeroDivisionError("division by zero\nin the toy")
    if kind == "exit":
        sys.exit(3)
    if kind == "print":
        print("noise from a library", flush=True)
        os.write(1, b"DSG1 more noise, from C\n")
    if kind == "memory":
        raise MemoryError
    if kind == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "crash":
        os.abort()
    if kind == "package":
        raise ModuleNotFoundError("No module named 'torch'", name="torch")
    if kind == "grow":
        np.ones(1 << 45)


class Bright:
    description = DESCRIPTION

    def open(self, model, device):
        return Predictor(model)


METHOD = Bright()
