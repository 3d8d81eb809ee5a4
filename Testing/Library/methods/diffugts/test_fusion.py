import math

import pytest
import torch

from DiffusionSegLib.methods.diffugts.fused_outline import untrained_fusion
from DiffusionSegLib.methods.diffugts.fusion import Fusion
from Testing.Library.reference.awake import awake, normal


@torch.no_grad()
def test_opinions_are_added_as_log_odds():
    fusion = awake(Fusion(), 4, gain=4.0)
    parts = [normal(2, 3, 4, seed=n) for n in range(4)]
    found = fusion(*parts)
    weights = [float(w) for w in (fusion.coarse, fusion.map, fusion.pixel, fusion.feature)]
    assert len(set(weights)) == 4
    for place in ((0, 0, 0), (1, 2, 3)):
        total = sum(w * float(p[place]) for w, p in zip(weights, parts, strict=True))
        wanted = 1 / (1 + math.exp(-total - float(fusion.bias)))
        assert float(found[place]) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize(
    ("coarse", "pixel", "believed"),
    [(1.0, 0.2, True), (1.0, 0.0, True), (0.0, 1.0, False), (0.0, 4.0, True), (0.6, 0.3, False)],
)
def test_without_training_the_mask_is_believed_and_so_is_a_great_change(coarse, pixel, believed):
    """Neither the map nor the feature residual means anything then."""
    fusion = untrained_fusion()
    for noise in (-9.0, 9.0):
        given = [torch.tensor(x) for x in (coarse, noise, pixel, noise)]
        assert (float(fusion(*given)) >= 0.5) == believed
