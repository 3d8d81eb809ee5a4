"""Samples whose object is named in words alone: by DiffuGTS, with a pseudo-healthy twin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from DiffusionSegLib.demo.samples import Sample

__all__ = ["WORDS", "worded_samples"]

WORDS = "words"


def worded_samples(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """Those that say in which words DiffuGTS is asked for them, as samples of their own; of several
    channels the last is shown."""
    return tuple(
        replace(
            sample,
            id=f"{sample.id}_{WORDS}",
            title=f"{sample.title}, “{sample.text}” and its pseudo-healthy twin",
            method="diffugts",
            model="compact",
            images=sample.images[-1:],
            modality=sample.modality[-1:],
            zero_shot="",
            told=WORDS,
        )
        for sample in samples
        if sample.text
    )
