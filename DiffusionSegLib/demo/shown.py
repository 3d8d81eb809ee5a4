"""All that the demonstration shows: samples with their own models, next to nothing told, words."""

from __future__ import annotations

from pathlib import Path

from DiffusionSegLib.demo.in_words import worded_samples, words_lack
from DiffusionSegLib.demo.samples import Sample, load_samples
from DiffusionSegLib.demo.zero_shot import zero_shot_samples

__all__ = ["shown_samples"]


def shown_samples(folder: Path) -> tuple[tuple[Sample, ...], str]:
    """The samples of a folder, and why none is asked for in words ("" when some are)."""
    samples, lack = load_samples(folder), words_lack()
    worded = () if lack else worded_samples(samples)
    return (*samples, *zero_shot_samples(samples), *worded), lack
