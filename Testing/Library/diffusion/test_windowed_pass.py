import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.diffusion.latent_windows import layout_around
from DiffusionSegLib.diffusion.windowed_pass import Placed, run_in_windows
from DiffusionSegLib.errors import Cancelled
from DiffusionSegLib.progress import Progress
from Testing.Library.reference.awake import normal


def every_window(whole, size=(4, 4), rows=None):
    layout = layout_around(torch.ones(whole.shape[2:]), size)
    return [Placed(r, w) for r in rows or range(len(whole)) for w in layout.windows()]


def slowly(network, whole, windows, scale=1):
    """Place by place: the weighted mean over all windows that hold it."""
    outputs = [
        (one, network(whole[(slice(one.row, one.row + 1), slice(None), *one.window.read())])[0])
        for one in windows
    ]
    channels = outputs[0][1].shape[0]
    rows, columns = (n * scale for n in whole.shape[2:])
    found = torch.zeros(len(whole), channels, rows, columns)
    for row in range(len(whole)):
        for y in range(rows):
            for x in range(columns):
                top, total = torch.zeros(channels), 0.0
                for one, output in outputs:
                    r, c = one.window.read(scale)
                    if one.row == row and r.start <= y < r.stop and c.start <= x < c.stop:
                        weight = float(one.window.weight(scale)[y - r.start, x - c.start])
                        top += weight * output[:, y - r.start, x - c.start]
                        total += weight
                if total:
                    found[row, :, y, x] = top / total
    return found


def by_its_own_mean(piece):
    """Depends on all of the window, as networks do."""
    return torch.cat([piece - piece.mean((1, 2, 3), keepdim=True), piece[:, :1]], dim=1)


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_windows_are_blended_by_their_weights(batch):
    whole = normal(2, 2, 9, 7)
    windows = every_window(whole)
    made = run_in_windows(by_its_own_mean, whole, windows, batch)
    assert torch.allclose(made.values, slowly(by_its_own_mean, whole, windows), atol=1e-5)


def test_networks_that_enlarge_are_blended_at_their_own_scale():
    def network(piece):
        return by_its_own_mean(piece).repeat_interleave(2, 2).repeat_interleave(2, 3)

    whole = normal(1, 2, 6, 7)
    windows = every_window(whole)
    made = run_in_windows(network, whole, windows, scale=2)
    assert made.values.shape == (1, 3, 12, 14)
    assert torch.allclose(made.values, slowly(network, whole, windows, 2), atol=1e-5)


@given(st.integers(1, 3), st.lists(st.integers(1, 9), min_size=1, max_size=3), st.integers(1, 5))
def test_what_goes_in_comes_out(rows, places, batch):
    whole = normal(rows, 2, *places)
    windows = every_window(whole, [3] * len(places))
    made = run_in_windows(lambda piece: piece, whole, windows, batch)
    assert torch.allclose(made.values, whole, atol=1e-5)


def test_places_without_a_window_are_zero_and_have_no_weight():
    whole = normal(2, 1, 8, 8)
    windows = [one for one in every_window(whole) if one.row == 1][:1]
    made = run_in_windows(lambda piece: piece + 5, whole, windows)
    reached = made.weight > 0
    assert int(reached.sum()) == 16 and not bool(reached[0].any())
    assert torch.equal(made.values == 0, ~reached)


def test_windows_are_run_some_at_a_time():
    sizes = []

    def network(piece):
        sizes.append(len(piece))
        return piece

    whole = normal(1, 1, 12, 4)
    windows = every_window(whole)
    run_in_windows(network, whole, windows, batch=2)
    assert sum(sizes) == len(windows) and max(sizes) == 2 and sizes[:-1] == [2] * (len(sizes) - 1)


def test_it_reports_and_can_be_stopped_after_each_batch():
    whole, reports = normal(1, 1, 12, 4), []
    windows = every_window(whole)
    run_in_windows(lambda piece: piece, whole, windows, progress=Progress(reports.append))
    assert len(reports) == len(windows) and reports[-1].fraction == 1.0
    for stop in range(len(windows)):
        heard = []
        progress = Progress(heard.append, lambda stop=stop, heard=heard: len(heard) == stop)
        with pytest.raises(Cancelled):
            run_in_windows(lambda piece: piece, whole, windows, progress=progress)


def test_no_window_is_a_programming_error():
    with pytest.raises(ValueError, match="no window"):
        run_in_windows(lambda piece: piece, normal(1, 1, 4), [])
