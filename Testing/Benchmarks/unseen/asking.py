"""DiffuGTS as it answers: how far each part of it gets, one stroke, and whether it sees things."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.backbones.manifest import ModelEntry, read_manifest
from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.methods.diffugts.run_settings import EVIDENCE
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.prompt import Prompt
from DiffusionSegLib.nouns.verdict import Verdict
from DiffusionSegLib.session import Session
from Testing.Benchmarks.unseen.stroke import as_scribble, middle_stroke
from Testing.Benchmarks.zero_shot.cases import ZeroShotCase

BoolArray = NDArray[np.bool_]

METHOD = "diffugts"
STROKE = "one stroke"
# How far the method goes, and what the table calls it.
PARTS: Mapping[str, str] = dict(
    zip(EVIDENCE, ("attention map", "coarse", "+ pixel residual", "+ feature residual"),
        strict=True)
)  # fmt: skip
WHOLE = PARTS[EVIDENCE[-1]]
# What these would outline if NOT_FOUND were no answer: where nothing is drawn anew, it is known.
ASIDE: Mapping[str, str] = {
    evidence: f"{PARTS[evidence]} (verdict aside)" for evidence in EVIDENCE[:2]
}
OWN = (*PARTS.values(), *ASIDE.values(), STROKE)


class OneModel(ModelStore):
    """A store that holds a model of one's own, wherever it lies."""

    def __init__(self, entry: ModelEntry) -> None:
        super().__init__(())
        self._entry = entry

    def list(self, method: str | None = None) -> list[ModelEntry]:
        """It, if it is of this method."""
        return [self._entry] if method in (None, self._entry.method) else []


def open_bundled(device: str, seed: int) -> Session:
    """The shipped model."""
    return Session(METHOD, device=device, seed=seed)


def open_fold(models: Path, fold: str, device: str, seed: int) -> Session:
    """MODELS/FOLD/model, which was trained without that type. Raises InputError, ModelError."""
    card = models / fold / "model" / "model.json"
    if not card.is_file():
        raise InputError(f"{card} does not exist; --models is the folder that holds FOLD/model.")
    left = json.loads(card.read_text("utf-8")).get("training", {}).get("left_out", "")
    if left != fold:
        raise InputError(
            f"{card} tells of a training without {left or 'nothing'}, not without {fold}; what it "
            "finds of that type would not be unseen."
        )
    return Session(METHOD, device=device, seed=seed, store=OneModel(read_manifest(card)))


class Asker:
    """A session, its seed kept while its parameters change."""

    def __init__(self, session: Session, seed: int) -> None:
        self._session, self._seed = session, seed

    @property
    def model(self) -> ModelEntry:
        """That is asked."""
        return self._session.model

    def parts(self, image: Image, text: str) -> Iterator[tuple[str, BoolArray, Verdict]]:
        """(name, outline at 0.5, verdict) of every part of the method for one text, and of the
        first two with the verdict aside."""
        self._session.set_image(image)
        for evidence, name in PARTS.items():
            self._session.configure(self._seed, parameters={"evidence": evidence})
            proposal = self._session.propose(Prompt(text=text))
            yield name, proposal.mask().array != 0, proposal.verdict.state
            if evidence in ASIDE:
                yield ASIDE[evidence], proposal.probability.array[0] >= 0.5, proposal.verdict.state

    def stroke(self, case: ZeroShotCase, text: str) -> tuple[BoolArray, Verdict]:
        """What the whole method makes of one stroke and the text."""
        self._session.set_image(case.image)
        self._session.configure(self._seed)
        drawn = as_scribble(middle_stroke(case.truth), case.image.geometry)
        proposal = self._session.propose(Prompt(text=text, scribbles=drawn))
        return proposal.mask().array != 0, proposal.verdict.state

    def verdict(self, image: Image, text: str) -> tuple[Verdict, float]:
        """What the whole method says, and its score."""
        self._session.set_image(image)
        self._session.configure(self._seed)
        found = self._session.propose(Prompt(text=text)).verdict
        return found.state, found.score
