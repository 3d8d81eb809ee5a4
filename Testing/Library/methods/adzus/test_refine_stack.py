import numpy as np
import pytest

from DiffusionSegLib.errors import Cancelled
from DiffusionSegLib.methods.adzus.plane import resized
from DiffusionSegLib.methods.adzus.refine_stack import refine_volume
from DiffusionSegLib.methods.adzus.slice_stack import SliceStack
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.progress import Progress
from Testing.Library.methods.adzus.disc_planes import dice, disc, plane_showing

SIZE = (40, 44)
COUNT = 9
SPACING = (1.0, 1.0, 3.0)


def ball(center=(4, 20, 20), radius=12.0):
    k, j, i = np.indices((COUNT, *SIZE))
    far = (3 * (k - center[0])) ** 2 + (j - center[1]) ** 2 + (i - center[2]) ** 2
    return far <= radius**2


TRUTH = ball()
NONE = np.zeros_like(TRUTH)
STACK = SliceStack(Image(TRUTH[None].astype(np.uint8), Geometry((COUNT, *SIZE), SPACING)), axis=0)


class Planes:
    """Makes the planes of a volume, on a canvas twice as fine, and counts them."""

    def __init__(self, shown=TRUTH, **kind):
        self.shown, self.kind, self.asked = shown, kind, []

    def __call__(self, number, progress):
        self.asked.append(number)
        large = resized(self.shown[number][..., None].astype(np.float32), (80, 88))[..., 0] >= 0.5
        plane = plane_showing(large, seed=number, **self.kind)
        return type(plane)(
            np.zeros((*SIZE, 3), np.float32), plane.canvas, plane.attention, plane.enlarge
        )


def refined(mask, fixed_in=NONE, fixed_out=NONE, planes=None):
    return refine_volume(STACK, mask, fixed_in, fixed_out, planes or Planes(), Progress.silent())


def test_mistakes_of_a_volume_are_repaired():
    wrong = np.roll(TRUTH, 4, axis=2)
    found = refined(wrong)
    assert found.shape == TRUTH.shape
    assert found.dtype == np.float32
    assert dice(wrong, TRUTH) < 0.85
    assert dice(found >= 0.5, TRUTH) > 0.93


def test_what_is_fixed_is_exact():
    rng = np.random.default_rng(0)
    kinds = rng.choice(3, TRUTH.shape, p=[0.98, 0.01, 0.01])
    found = refined(TRUTH, kinds == 1, kinds == 2)
    assert (found[kinds == 1] == 1).all()
    assert (found[kinds == 2] == 0).all()
    assert ((found >= 0) & (found <= 1)).all()


def test_slices_with_nothing_to_refine_cost_no_plane():
    planes = Planes()
    found = refined(TRUTH, planes=planes)
    assert sorted(planes.asked) == np.flatnonzero(TRUTH.any(axis=(1, 2))).tolist()
    assert not found[~TRUTH.any(axis=(1, 2))].any()
    empty = Planes()
    assert not refined(NONE, planes=empty).any()
    assert not empty.asked


def test_an_edited_slice_pulls_its_neighbors():
    # Nothing but the edit tells that there is a second part.
    second = np.zeros_like(TRUTH)
    second[4] = disc(SIZE, (20, 38), 5)
    flat = Planes(NONE, noise=0.01)
    before = refined(TRUTH, planes=flat) >= 0.5
    after = refined(TRUTH | second, fixed_in=second, planes=flat) >= 0.5
    gained = (after & ~before)[:, :, 34:].sum(axis=(1, 2))
    assert gained[4] >= second[4, :, 34:].sum()
    assert gained[3] > 0.3 * gained[4]
    assert gained[5] > 0.3 * gained[4]
    assert not gained[[0, 1, 7, 8]].any()  # 5 mm reach one slice of 3 mm


def test_an_erased_part_is_taken_from_neighbors():
    surplus = disc(SIZE, (20, 36), 6)
    mask = TRUTH.copy()
    mask[3:6] |= surplus
    out = np.zeros_like(TRUTH)
    out[4] = surplus & ~TRUTH[4]
    flat = Planes(NONE, noise=0.01)
    kept = refined(mask, planes=flat) >= 0.5
    found = refined(mask & ~out, fixed_out=out, planes=flat) >= 0.5
    for number in (3, 5):
        assert found[number][out[4]].sum() < 0.7 * kept[number][out[4]].sum()


def test_it_can_be_cancelled_between_slices():
    asked = []

    def cancelled():
        return len(asked) >= 3

    def plane_of(number, progress):
        asked.append(number)
        return Planes()(number, progress)

    with pytest.raises(Cancelled):
        refine_volume(STACK, TRUTH, NONE, NONE, plane_of, Progress(cancelled=cancelled))
    assert len(asked) == 3


def test_progress_ends_at_one():
    told = []
    refine_volume(
        STACK, TRUTH, NONE, NONE, Planes(), Progress(lambda report: told.append(report.fraction))
    )
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)
