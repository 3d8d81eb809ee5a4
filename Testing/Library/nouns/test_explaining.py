import pytest

from DiffusionSegLib.nouns.explaining import Explains, explains


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("anomaly map", Explains.FRACTION),
        ("Anomaly-Map", Explains.FRACTION),
        ("pseudo-healthy", Explains.TWIN),
        ("difference", Explains.SIGNED),
        ("difference to the pseudo-healthy image", Explains.TWIN),
        ("pseudo-healthy difference", Explains.SIGNED),
        ("regions", Explains.OTHER),
        ("mapping", Explains.OTHER),
        ("", Explains.OTHER),
    ],
)
def test_names(name, meaning):
    assert explains(name) is meaning
