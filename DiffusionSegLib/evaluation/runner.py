"""Runs a method over cases with known outlines and measures each; one bad case stops none."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from DiffusionSegLib.errors import Cancelled, DiffusionSegError, InputError
from DiffusionSegLib.evaluation import metrics
from DiffusionSegLib.evaluation.calibration import Calibration, calibration_of
from DiffusionSegLib.evaluation.cases import Case
from DiffusionSegLib.evaluation.label_pairs import LabelPair, label_pairs
from DiffusionSegLib.evaluation.oracle import NoRegionsError, oracle_scores
from DiffusionSegLib.evaluation.scores import CaseResult, LabelScore, NegativeResult
from DiffusionSegLib.evaluation.truth import Truth, foreground, read_truth
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Prompt
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.progress import Progress

if TYPE_CHECKING:
    from DiffusionSegLib.session import Session


@dataclass(frozen=True)
class EvaluationOptions:
    """What to ask and how to compare.

    `label_values`: see label_pairs. Voxels of the truth with `ignore_value` count for nothing.
    `clicks`: clicks of a simulated user after the first outline. `pictures`: keep one per case.
    `oracle`: also choose among the method's regions with the known outline (see oracle.py).
    """

    prompt: Prompt = field(default_factory=Prompt)
    threshold: float = 0.5
    label_values: tuple[int, ...] = ()
    ignore_value: int | None = None
    clicks: int = 0
    pictures: bool = False
    oracle: bool = False


def evaluate_cases(
    session: Session, cases: Sequence[Case], options: EvaluationOptions, progress: Progress
) -> Iterator[CaseResult]:
    """One result per case, as soon as it is there; a case that fails says why in `error`.

    Raises NoRegionsError when an oracle is wanted and the first case has no regions.
    """
    for number, case in enumerate(cases):
        part = progress.part(number / len(cases), (number + 1) / len(cases), case.name)
        try:
            result = evaluate_case(session, case, options, part)
        except Cancelled:
            raise
        except NoRegionsError as error:
            if number == 0:  # so will all the others be
                raise
            result = CaseResult(case.name, case.channels, error=str(error))
        except (DiffusionSegError, OSError) as error:
            result = CaseResult(case.name, case.channels, error=str(error))
        part.report(1.0)
        yield result


def evaluate_case(
    session: Session, case: Case, options: EvaluationOptions, progress: Progress
) -> CaseResult:
    """Outlines one case and measures it. Raises DiffusionSegError when it cannot be used."""
    if case.label is None:
        raise InputError(f"The case {case.name} has no known outline to compare with.")
    image = read_case(case)
    truth = read_truth(case.label, image, options.ignore_value)
    started = time.monotonic()
    # A click costs about as much as the first outline.
    first = progress.part(0.0, 1 / (1 + options.clicks))
    session.set_image(image, progress=first.part(0.0, 0.3))
    proposal = session.propose(options.prompt, progress=first.part(0.3, 1.0))
    seconds = time.monotonic() - started
    mask = proposal.mask(options.threshold)
    pairs = label_pairs(proposal.labels, options.label_values)
    oracle = oracle_scores(proposal, truth, pairs) if options.oracle else ()
    result = CaseResult(
        case.name,
        case.channels,
        tuple(_score(pair, mask, truth) for pair in pairs),
        _calibration(proposal, pairs, truth),
        seconds,
        proposal.verdict.state.name,
        proposal.verdict.score,
        rule=proposal.provenance.rule,
        click_limit=options.clicks,
        oracle=oracle,
    )
    return _with_extras(session, result, image, mask, truth, pairs, options, progress)


def evaluate_negatives(
    session: Session, cases: Sequence[Case], options: EvaluationOptions, progress: Progress
) -> Iterator[NegativeResult]:
    """The verdict on each image that is known not to show the object."""
    for number, case in enumerate(cases):
        part = progress.part(number / len(cases), (number + 1) / len(cases), case.name)
        try:
            result = _evaluate_negative(session, case, options, part)
        except Cancelled:
            raise
        except (DiffusionSegError, OSError) as error:
            result = NegativeResult(case.name, error=str(error))
        part.report(1.0)
        yield result


def read_case(case: Case) -> Image:
    """The image of a case, its channels named as in the file names."""
    image = Image.read(list(case.images))
    if case.channels and len(case.channels) == len(image.channel_names):
        return replace(image, channel_names=case.channels)
    return image


def _evaluate_negative(
    session: Session, case: Case, options: EvaluationOptions, progress: Progress
) -> NegativeResult:
    image = read_case(case)
    started = time.monotonic()
    session.set_image(image, progress=progress.part(0.0, 0.4))
    proposal = session.propose(options.prompt, progress=progress.part(0.4, 1.0))
    seconds = time.monotonic() - started
    predicted_ml = proposal.mask(options.threshold).volume_ml()
    verdict = proposal.verdict
    return NegativeResult(case.name, seconds, verdict.state.name, verdict.score, predicted_ml)


def _score(pair: LabelPair, mask: Mask, truth: Truth) -> LabelScore:
    predicted = pair.predicted(mask.array) & truth.counted
    true = pair.true(truth.mask.array)
    voxel_ml = mask.geometry.voxel_volume_mm3 / 1000.0
    spacing_kji = mask.geometry.spacing_mm[::-1]
    plane = mask.dimension == 2
    return LabelScore(
        name=pair.name,
        dice=metrics.dice(predicted, true),
        iou=metrics.iou(predicted, true),
        hd95_mm=metrics.hausdorff95(
            predicted[0] if plane else predicted,
            true[0] if plane else true,
            spacing_kji[1:] if plane else spacing_kji,
        ),
        volume_error_percent=metrics.volume_error_percent(predicted, true),
        truth_ml=int(true.sum()) * voxel_ml,
        predicted_ml=int(predicted.sum()) * voxel_ml,
    )


def _calibration(proposal: Proposal, pairs: Sequence[LabelPair], truth: Truth) -> Calibration:
    """Of the probability of any label, slice by slice to keep memory small."""
    total = Calibration()
    true = foreground(pairs, truth.mask)
    for k in range(len(true)):
        counted = truth.counted[k]
        probability = proposal.probability.array[:, k].sum(axis=0, dtype=np.float32)[counted]
        total = total + calibration_of(np.clip(probability, 0.0, 1.0), true[k][counted])
    return total


def _with_extras(
    session: Session,
    result: CaseResult,
    image: Image,
    mask: Mask,
    truth: Truth,
    pairs: Sequence[LabelPair],
    options: EvaluationOptions,
    progress: Progress,
) -> CaseResult:
    if options.pictures:
        from DiffusionSegLib.evaluation.sheet import case_picture

        result = replace(result, picture=case_picture(image, mask, truth.mask, pairs))
    if options.clicks:
        from DiffusionSegLib.evaluation.clicking import simulate_clicks

        rest = progress.part(1 / (1 + options.clicks), 1.0)
        scores = simulate_clicks(session, mask, truth, pairs, options, rest)
        result = replace(result, clicks=scores)
    return result
