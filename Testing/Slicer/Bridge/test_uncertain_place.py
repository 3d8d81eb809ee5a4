"""The most doubtful area is found, in the patient's frame."""

from __future__ import annotations

import numpy as np

from DiffusionSegBridge.uncertain_place import uncertainPlacesRas
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.label import label_for
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.nouns.provenance import Provenance
from DiffusionSegLib.nouns.verdict import PresenceVerdict, Verdict

COARSE = Geometry((6, 7, 8), (2.0, 3.0, 4.0), (10.0, 20.0, 30.0))
FOUND = PresenceVerdict(Verdict.FOUND, 0.9, "")


def _proposal(probability, uncertainty=None) -> Proposal:
    doubt = None if uncertainty is None else Image(uncertainty[np.newaxis], COARSE)
    image = Image(probability[np.newaxis], COARSE)
    provenance = Provenance("m", "n")
    return Proposal(image, (label_for(1),), FOUND, provenance, doubt, geometry=COARSE)


def test_an_area_counts_more_than_a_speck() -> None:
    doubt = np.zeros(COARSE.shape_kji, np.float32)
    doubt[0, 0, 0] = 0.5
    doubt[2:5, 3:6, 4:7] = 0.3
    place, *_ = uncertainPlacesRas(_proposal(0 * doubt, doubt))
    np.testing.assert_allclose(place, COARSE.kji_to_ras([[3, 4, 5]])[0])


def test_without_a_spread_one_half_is_doubtful() -> None:
    probability = np.zeros(COARSE.shape_kji, np.float32)
    probability[1:4, 1:4, 1:4] = 1.0
    probability[2, 2, 4] = 0.5
    place, *_ = uncertainPlacesRas(_proposal(probability))
    np.testing.assert_allclose(place, COARSE.kji_to_ras([[2, 2, 4]])[0])


def test_sure_everywhere() -> None:
    sure = np.ones(COARSE.shape_kji, np.float32)
    assert uncertainPlacesRas(_proposal(sure)) == []
    assert uncertainPlacesRas(_proposal(sure, 0 * sure)) == []


def test_each_doubtful_area_comes_once_in_the_order_of_doubt() -> None:
    wide = Geometry((1, 40, 40))
    doubt = np.zeros(wide.shape_kji, np.float32)
    doubt[0, 4:7, 4:7], doubt[0, 30:33, 30:33], doubt[0, 4:7, 30:33] = 0.3, 0.5, 0.02
    image = Image(doubt[np.newaxis], wide)
    proposal = Proposal(image, (label_for(1),), FOUND, Provenance("m", "n"), image)
    places = uncertainPlacesRas(proposal)
    np.testing.assert_allclose(places, wide.kji_to_ras([[0, 31, 31], [0, 5, 5]]))
