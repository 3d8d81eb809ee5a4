"""What a run found on the backbone's grid, and the proposal made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.methods.constraints import Fixed
from DiffusionSegLib.methods.contract import RunOptions
from DiffusionSegLib.methods.diffugts.embedding import DiffuGtsEmbedding, Reading
from DiffusionSegLib.methods.diffugts.run_settings import RunSettings
from DiffusionSegLib.methods.diffugts.verdicts import nothing_left
from DiffusionSegLib.methods.pinning import pin
from DiffusionSegLib.methods.run_provenance import run_provenance
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.label import Label
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Prompt
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.nouns.provenance import Provenance
from DiffusionSegLib.nouns.verdict import PresenceVerdict, Verdict

if TYPE_CHECKING:
    from DiffusionSegLib.methods.diffugts.predictor import DiffuGtsPredictor

__all__ = ["Outcome", "make_proposal"]

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Outcome:
    """(K, J, I) of the padded picture each. spread, healthy: None when nothing was inpainted."""

    probability: Floats
    verdict: PresenceVerdict
    logits: Floats
    spread: Floats | None = None
    healthy: Floats | None = None
    rule: str = ""


def make_proposal(
    predictor: DiffuGtsPredictor,
    embedding: DiffuGtsEmbedding,
    outcome: Outcome,
    prompt: Prompt,
    run: RunOptions,
    fixed: Fixed | None,
    begun: float,
    around: Mask | None = None,
) -> Proposal:
    """fixed: voxels that the user decided, on the image's own grid; around: the mask that was
    refined, which stays as it is outside the region."""
    settings = RunSettings.of(run, predictor.model.settings)
    reading = embedding.read_as(settings.modality)
    probability = _image(outcome.probability, embedding)
    if around is not None:
        probability = _with_surroundings(probability, around, embedding)
    if fixed is not None or prompt.boxes:
        probability = pin(probability, embedding.geometry, fixed, prompt.boxes)
    proposal = Proposal(
        probability,
        _labels(predictor, prompt.text),
        outcome.verdict,
        _provenance(predictor, embedding, reading, outcome, settings, prompt, run, begun),
        uncertainty=None if outcome.spread is None else _image(outcome.spread, embedding),
        auxiliary=_auxiliary(outcome, reading, embedding, predictor.networks is not None),
        geometry=embedding.geometry,
    )
    if outcome.verdict.state is not Verdict.NOT_FOUND and proposal.mask().is_empty:
        proposal.verdict = nothing_left(
            "What was marked off looks the same after it was drawn anew as healthy; there is "
            "nothing to outline. Lower the threshold, or mark the object."
        )
    return proposal


def _image(values: Floats, embedding: DiffuGtsEmbedding) -> Image:
    k, j, i = embedding.grid.shape_kji
    array = np.ascontiguousarray(values[:k, :j, :i], dtype=np.float32)[None]
    return Image(array, embedding.grid, dimension=embedding.dimension)


def _auxiliary(
    outcome: Outcome, reading: Reading, embedding: DiffuGtsEmbedding, has_map: bool
) -> dict[str, Image]:
    """The anomaly map in [0, 1]; the pseudo-healthy image and the difference to it in the image's
    own units, as far as its intensities were read."""
    found: dict[str, Image] = {}
    if has_map:
        unit = 1 / (1 + np.exp(-np.clip(outcome.logits, -30, 30)))
        found["anomaly map"] = _image(unit.astype(np.float32), embedding)
    if outcome.healthy is not None:
        low, high = reading.intensities.low, reading.intensities.high
        picture = reading.picture[0, 0].numpy()
        found["pseudo-healthy"] = _image(low + outcome.healthy * (high - low), embedding)
        found["difference"] = _image((picture - outcome.healthy) * (high - low), embedding)
    return found


def _with_surroundings(part: Image, around: Mask, embedding: DiffuGtsEmbedding) -> Image:
    """Outside the region the mask stays as it was."""
    if embedding.source.geometry == embedding.geometry:
        return part
    inside = np.ones(embedding.source.geometry.shape_kji, dtype=np.uint8)
    covered = Mask(inside, embedding.source.geometry).resampled(around.geometry).array != 0
    whole = part.resampled(around.geometry, outside=0.0).array[0]
    kept = np.where(covered, whole, (around.array != 0).astype(np.float32))
    return Image(kept[None].astype(np.float32), around.geometry, dimension=part.dimension)


def _labels(predictor: DiffuGtsPredictor, text: str) -> tuple[Label, ...]:
    """The card's one label, named as the user asked."""
    label = predictor.model.labels[0]
    return (Label(label.value, text or label.name, label.color_rgb, label.terminology),)


def _provenance(
    predictor: DiffuGtsPredictor,
    embedding: DiffuGtsEmbedding,
    reading: Reading,
    outcome: Outcome,
    settings: RunSettings,
    prompt: Prompt,
    run: RunOptions,
    begun: float,
) -> Provenance:
    backbone, inpainting = predictor.backbone, settings.inpainting
    intensities = reading.intensities
    parameters: dict[str, Any] = {
        "backbone": backbone.name,
        "backbone_sha256": backbone.weights_sha256,
        "intensities": f"{intensities.name} ({intensities.low:g} to {intensities.high:g})",
        "start": inpainting.start,
        "steps": inpainting.steps,
        "seeds": inpainting.seeds,
    }
    files = predictor.model.files
    weights = files[0].sha256 if files else backbone.weights_sha256
    return run_provenance(
        predictor.model, weights, prompt, run, predictor.device, begun, parameters, outcome.rule
    )
