import dataclasses

import pytest

from DiffusionSegLib.errors import InputError, UnknownNameError
from DiffusionSegLib.methods.adzus.resolution_weights import resolution_weights
from DiffusionSegLib.methods.adzus.settings import PARAMETERS, RegionSettings


def test_every_parameter_has_a_range_a_source_and_the_settings_default():
    assert [spec.name for spec in PARAMETERS] == [
        f.name for f in dataclasses.fields(RegionSettings)
    ]
    for spec in PARAMETERS:
        assert getattr(RegionSettings(), spec.name) == spec.default == spec.validate(spec.default)
        assert spec.type == "bool" or spec.minimum < spec.default < spec.maximum
        assert "DiffSeg" in spec.source and spec.description.endswith(".")


def test_values_are_checked():
    assert RegionSettings.of({"tau": 0.9, "anchors": 8.0}) == RegionSettings(tau=0.9, anchors=8)
    with pytest.raises(InputError, match=r"tau takes a number from 0 to 5, not -1"):
        RegionSettings.of({"tau": -1})
    with pytest.raises(UnknownNameError, match="Did you mean 'anchors'"):
        RegionSettings.of({"anchor": 3})


def test_weights_of_resolutions():
    grids = [(64, 64), (32, 32), (16, 16), (8, 8)]
    assert resolution_weights(grids) == pytest.approx([64 / 120, 32 / 120, 16 / 120, 8 / 120])
    assert resolution_weights(grids, 0.0) == pytest.approx([0.25] * 4)
    assert resolution_weights([(4, 16), (8, 8)], 2.0) == pytest.approx([0.5, 0.5])
