"""Outlines every sample with its own model, measures it against the truth, writes the files."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.demo.overlay import PlanePictures, largest_spread, overlay_png, sample_pictures
from DiffusionSegLib.demo.reading import read_sample, sample_dices
from DiffusionSegLib.demo.samples import Sample
from DiffusionSegLib.errors import Cancelled, DiffusionSegError
from DiffusionSegLib.evaluation.label_pairs import label_pairs
from DiffusionSegLib.io.atomic import atomic_file
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.progress import Progress

if TYPE_CHECKING:
    from DiffusionSegLib.session import Session


@dataclass(frozen=True)
class SampleResult:
    """What came out of one sample; `error` says why nothing did.

    `dices` holds (label, Dice) pairs. `split` is the part of the model's data that the sample
    belongs to, as the model lists it ("" when it does not say).
    """

    sample: Sample
    model: ModelEntry | None = None
    proposal: Proposal | None = None
    dices: tuple[tuple[str, float], ...] = ()
    seconds: float = 0.0
    device: str = ""
    split: str = ""
    pictures: tuple[PlanePictures, ...] = ()
    channel_titles: tuple[str, ...] = ()
    largest_spread: float = 0.0
    error: str | None = None

    @property
    def dice(self) -> float:
        """Mean over labels; NaN without any."""
        values = [value for _, value in self.dices]
        return sum(values) / len(values) if values else float("nan")


def run_samples(samples: Sequence[Sample], folder: Path, progress: Progress) -> list[SampleResult]:
    """Writes ID.seg.nrrd and ID_overlay.png into `folder`; a failing sample stops no other."""
    sessions: dict[tuple[str, str], Session] = {}
    results = []
    for number, sample in enumerate(samples):
        part = progress.part(number / len(samples), (number + 1) / len(samples), sample.title)
        try:
            result = _run_sample(_session_for(sample, sessions), sample, folder, part)
        except Cancelled:
            raise
        except DiffusionSegError as error:
            result = SampleResult(sample, error=str(error))
        part.report(1.0)
        results.append(result)
    return results


def _session_for(sample: Sample, sessions: dict[tuple[str, str], Session]) -> Session:
    """One session per model: loading the network takes longer than using it."""
    from DiffusionSegLib.session import Session

    key = (sample.method, sample.model)
    if key not in sessions:
        sessions[key] = Session(sample.method, model=sample.model, device="auto", seed=0)
    return sessions[key]


def _run_sample(session: Session, sample: Sample, folder: Path, progress: Progress) -> SampleResult:
    image, truth, prompt = read_sample(sample, session.model)
    started = time.monotonic()
    session.set_image(image, progress=progress.part(0.0, 0.3))
    proposal = session.propose(prompt, progress=progress.part(0.3, 0.9))
    seconds = time.monotonic() - started
    mask = proposal.mask()
    pictures = sample_pictures(image, proposal, mask, truth, label_pairs(proposal.labels))
    if not mask.is_empty:
        mask.write(folder / f"{sample.id}.seg.nrrd")
    with atomic_file(folder / f"{sample.id}_overlay.png") as file:
        file.write(overlay_png(pictures))
    return SampleResult(
        sample,
        session.model,
        proposal,
        sample_dices(proposal.labels, mask, truth),
        seconds,
        session.device,
        _split_of(sample, session.model),
        pictures,
        sample.modality if len(sample.modality) > 1 else ("image",),
        largest_spread(proposal),
    )


def _split_of(sample: Sample, model: ModelEntry) -> str:
    for part, cases in dict(model.splits).items():
        if sample.id in cases:
            return str(part)
    return ""
