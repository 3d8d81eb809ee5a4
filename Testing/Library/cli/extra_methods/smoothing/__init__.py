"""A small, deterministic method for tests of the front ends: what is bright after smoothing.

It follows the same contract as the published methods, but needs no weights and no time.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from scipy import ndimage

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.methods.contract import MethodDescription, ParameterSpec
from DiffusionSegLib.nouns.candidate import Candidate
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.nouns.provenance import Provenance
from DiffusionSegLib.nouns.verdict import PresenceVerdict, Verdict

# An image without a voxel brighter than this has no object.
DARK = 50.0

DESCRIPTION = MethodDescription(
    name="smoothing",
    title="Bright after smoothing",
    summary="For tests: smooths the image and takes what is bright.",
    citation="None.",
    prompts=frozenset({"points"}),
    parameters=(
        ParameterSpec(
            name="width",
            type="float",
            default=1.0,
            title="Width",
            description="of the Gaussian, in voxels",
            source="our choice",
            minimum=0.0,
            maximum=5.0,
        ),
        ParameterSpec("halve", "bool", False, "Halve", "names its rule", "our choice"),
        ParameterSpec("parts", "int", 0, "Parts", "nested candidates", "our choice", 0, 9),
        ParameterSpec(
            name="fault",
            type="choice",
            default="none",
            title="Fault",
            description="fail in a chosen way",
            source="our choice",
            choices=("none", "crash", "interrupt", "slow", "memory"),
        ),
    ),
    refines=True,
    trains=False,
)


class Predictor:
    def __init__(self, model):
        self.model = model

    def embed(self, image, region, progress):
        progress.report(0.5, "smoothing")
        return image

    def propose(self, embedding, prompt, run, progress):
        _fail(run.parameters.get("fault", "none"), progress)
        width = float(run.parameters.get("width", 1.0))
        values = embedding.array.astype(np.float32).mean(axis=0)
        smooth = ndimage.gaussian_filter(values, width)
        span = float(smooth.max() - smooth.min()) or 1.0
        probability = (smooth - smooth.min()) / span
        probability = _obey(probability, prompt, embedding.geometry)
        return self._proposal(embedding, probability, prompt, run)

    def refine(self, embedding, mask, prompt, run, progress, original):
        probability = _obey((mask.array != 0).astype(np.float32), prompt, embedding.geometry)
        return self._proposal(embedding, probability, prompt, run)

    def _proposal(self, image, probability, prompt, run):
        labels = self.model.labels
        parts = np.stack([probability / len(labels)] * len(labels)).astype(np.float32)
        parts[0] += 1e-3 if len(labels) > 1 else 0.0
        found = float(image.array.max()) > DARK
        verdict = PresenceVerdict(
            Verdict.FOUND if found else Verdict.NOT_FOUND,
            0.9 if found else 0.1,
            "Bright enough." if found else "The image is dark.",
        )
        grid = replace(image, array=parts, channel_names=tuple(part.name for part in labels))
        doubt = replace(
            image, array=(0.5 - np.abs(probability - 0.5))[None], channel_names=("spread",)
        )
        parts = int(run.parameters.get("parts", 0))
        asked, rule = prompt.to_dict(), _rule(prompt, run)
        provenance = Provenance("smoothing", self.model.id, prompt=asked, seed=run.seed, rule=rule)
        found = Proposal(grid, labels, verdict, provenance, doubt)
        candidates = [
            Candidate(found.mask(part / (parts + 1)), 1 - part / 10, f"part {part} of {parts}")
            for part in range(1, parts + 1)
        ]
        levels = np.floor(probability * (parts + 1)).astype(np.int32)[None]
        regions = {"regions": replace(image, array=levels, channel_names=("regions",))}
        return Proposal(
            grid, labels, verdict, provenance, doubt, tuple(candidates), regions if parts else {}
        )


def _rule(prompt, run):
    """Without clicks only if asked for, so that both cases are met."""
    if prompt.points:
        return "clicks: balls"
    return "brighter half" if run.parameters.get("halve") else ""


def _fail(kind, progress):
    if kind == "crash":
        raise ZeroDivisionError("division by zero in the test method")
    if kind == "interrupt":
        raise KeyboardInterrupt
    if kind == "memory":
        raise MemoryError
    if kind == "slow":
        for step in range(200):
            progress.report(step / 200, "waiting")
            time.sleep(0.05)


def _obey(probability, prompt, geometry):
    """Clicks decide a ball of two voxels."""
    for point, (k, j, i) in zip(
        prompt.points, prompt.points_kji(geometry).round().astype(int), strict=True
    ):
        ball = tuple(slice(max(0, at - 2), at + 3) for at in (k, j, i))
        probability[ball] = 1.0 if point.include else 0.0
    return probability


class Smoothing:
    description = DESCRIPTION

    def open(self, model, device):
        if not isinstance(model.labels, tuple):
            raise InputError("no labels")
        return Predictor(model)


METHOD = Smoothing()
__all__ = ["METHOD", "Image"]
