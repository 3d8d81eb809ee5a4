from DiffusionSegLib.planning import calibration
from DiffusionSegLib.planning.calibration import Calibrations, calibrate


def test_it_is_quick_and_repeats_itself():
    one, other = calibrate("cpu", True), calibrate("cpu", True)
    assert 1e-5 < one < 1 and 1 / 3 < one / other < 3


def test_a_device_is_asked_once(monkeypatch):
    asked = []

    def measure(device):
        asked.append(device)
        if device == "cuda:0":
            raise RuntimeError("no kernel image is available")
        return 0.25

    monkeypatch.setattr(calibration, "calibrate", measure)
    known = Calibrations()
    assert [known.seconds(one) for one in ("cpu", "cpu", "cuda:0", "cuda:0")] == [
        0.25, 0.25, None, None,
    ]  # fmt: skip
    assert asked == ["cpu", "cuda:0"]
