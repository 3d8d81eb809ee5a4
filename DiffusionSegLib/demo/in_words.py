"""Samples whose object is named in words alone: by DiffuGTS, with a pseudo-healthy twin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec

from DiffusionSegLib.demo.samples import Sample
from DiffusionSegLib.errors import ModelError

__all__ = ["WORDS", "worded_samples", "words_lack"]

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


def words_lack() -> str:
    """What is missing on this machine before words can be read, as a sentence; "" for nothing."""
    from DiffusionSegLib.backbones.compact.words import find_minilm

    try:
        find_minilm()
    except ModelError as error:
        return str(error)
    if find_spec("transformers") is None:
        return "Words need the Python package transformers: pip install 'DiffusionSeg[text]'"
    return ""
