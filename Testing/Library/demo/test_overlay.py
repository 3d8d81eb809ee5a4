"""However a volume is stored, its pictures are the same."""

import io

import numpy as np
import pytest
from PIL import Image as Pillow

from DiffusionSegLib.demo.overlay import (
    SMALLEST_SPREAD,
    largest_spread,
    overlay_png,
    sample_pictures,
)
from DiffusionSegLib.evaluation.label_pairs import label_pairs
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.label import label_for
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.nouns.provenance import Provenance
from DiffusionSegLib.nouns.verdict import PresenceVerdict, Verdict
from Testing.Library.cli.fixtures import bright_volume, spot_mask

LABELS = (label_for(1, "spot"),)


def pictures(flip):
    """Of the bright volume, stored with its axes flipped as `flip` (k, j, i) says."""
    steps = tuple(slice(None, None, -1 if part else 1) for part in flip)
    signs = np.diag([-1.0 if part else 1.0 for part in flip[::-1]])
    direction = tuple(tuple(row) for row in signs)
    image, truth = bright_volume(), spot_mask()
    geometry = Geometry(truth.array.shape, image.geometry.spacing_mm, direction=direction)
    stored = np.ascontiguousarray(image.array[0][steps])
    outline = np.ascontiguousarray(truth.array[steps])
    probability = Image(outline[None].astype(np.float32), geometry)
    spread = Image(np.where(outline, 0.1, 0.3)[None].astype(np.float32), geometry)
    proposal = Proposal(
        probability,
        LABELS,
        PresenceVerdict(Verdict.FOUND, 1.0, "."),
        Provenance("m", "x"),
        spread,
    )
    mask = Mask(outline, geometry, LABELS)
    shown = sample_pictures(
        Image(stored[None], geometry), proposal, mask, mask, label_pairs(LABELS)
    )
    return shown, proposal


@pytest.mark.parametrize("flip", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)])
def test_the_same_patient_gives_the_same_pictures(flip):
    expected, _ = pictures((0, 0, 0))
    for plane, same in zip(*[expected, pictures(flip)[0]], strict=True):
        for one, other in zip(plane.row, same.row, strict=True):
            assert np.array_equal(np.asarray(one), np.asarray(other))


def test_the_brightest_colour_stands_for_the_largest_spread():
    _, proposal = pictures((0, 0, 0))
    assert largest_spread(proposal) == pytest.approx(0.3)
    flat = Image(np.zeros_like(proposal.probability.array), proposal.probability.geometry)
    calm = Proposal(flat, LABELS, proposal.verdict, proposal.provenance, flat)
    assert largest_spread(calm) == SMALLEST_SPREAD


def test_the_overlay_shows_the_planes_in_one_row():
    shown, _ = pictures((0, 0, 0))
    with Pillow.open(io.BytesIO(overlay_png(shown))) as overlay:
        assert overlay.width == sum(plane.outlines.width for plane in shown) + 12
