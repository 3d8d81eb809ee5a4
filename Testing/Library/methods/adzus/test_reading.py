import numpy as np
import pytest

from DiffusionSegLib.methods.adzus.closeness import color_and_space, geodesic
from DiffusionSegLib.methods.adzus.connected import connected_to, without_holes
from DiffusionSegLib.methods.adzus.hints import Hint, disc_hint
from DiffusionSegLib.methods.adzus.markov import markov_map, start_at
from DiffusionSegLib.methods.adzus.nested import nested_regions
from DiffusionSegLib.methods.adzus.reading import EVIDENCE, PlaneReader
from Testing.Library.methods.adzus.made_planes import made_picture, made_plane, thing

PLANE = made_plane()
CLICK = disc_hint(34, 33, (96, 96), True)
STROKE = Hint(np.array([[75, 40], [78, 50], [80, 60]]), True, is_click=False)


@pytest.mark.parametrize("hint", [CLICK, STROKE], ids=["click", "stroke"])
@pytest.mark.parametrize("evidence", EVIDENCE)
def test_every_family_is_nested_around_the_hint(evidence, hint):
    reader = PlaneReader(PLANE, evidence)
    families = reader.families(hint)
    distances = reader.distances(hint)
    assert [one.source for one in families] == list(distances)
    for family in families:
        wanted = nested_regions(without_holes(connected_to(distances[family.source], hint.pixels)))
        assert np.array_equal(family.regions.level, wanted.level)
        count = len(family.regions.areas)
        assert len(family.scores) == len(family.cuts) == count
        assert np.isfinite(family.scores).any()
        level = family.level_of(hint)
        assert family.regions.region(level)[tuple(hint.pixels.T)].all()
        assert level == 0 or not family.regions.region(level - 1)[tuple(hint.pixels.T)].all()


def test_distances_are_those_of_their_sources():
    image = PlaneReader(PLANE, "image").distances(CLICK)
    assert sorted(image) == ["color", "edges"]
    assert np.array_equal(image["color"], color_and_space(PLANE.canvas, CLICK))
    assert np.array_equal(image["edges"], geodesic(PLANE.canvas, CLICK))
    attention = PlaneReader(PLANE, "attention").distances(CLICK)
    assert sorted(attention) == ["attention"]
    grid = PLANE.attention.grid
    steps = markov_map(PLANE.attention.walk, start_at([(34.5 / 96, 33.5 / 96)], grid))
    assert np.allclose(attention["attention"], PLANE.enlarge(steps.numpy()))
    both = PlaneReader(PLANE, "both").distances(CLICK)
    assert all(np.array_equal(both[name], image[name]) for name in image)


def test_the_image_alone_never_asks_attention():
    cuts = [one.cuts for one in PlaneReader(PLANE, "image").families(CLICK)]
    assert all((one == 1).all() for one in cuts)
    cuts = [one.cuts for one in PlaneReader(PLANE, "both").families(CLICK)]
    assert not any((one == 1).all() for one in cuts)


def test_the_first_level_with_an_opposite_hint():
    family = PlaneReader(PLANE).families(CLICK)[0]
    near, far = disc_hint(34, 50, (96, 96), False), disc_hint(90, 5, (96, 96), False)
    for hints in ([near], [far], [near, far], [STROKE, far]):
        level = family.first_level_of(hints)
        assert any(family.regions.region(level)[tuple(one.pixels.T)].any() for one in hints)
        if level:
            before = family.regions.region(level - 1)
            assert not any(before[tuple(one.pixels.T)].any() for one in hints)
    assert family.first_level_of([]) == len(family.scores)


def test_what_was_read_is_remembered_and_not_for_ever():
    reader = PlaneReader(made_plane(made_picture(32)), "image")
    click = disc_hint(10, 10, (32, 32), True)
    first = reader.families(click)
    assert reader.families(Hint(click.pixels.copy(), False)) is first
    for number in range(64):
        reader.families(disc_hint(number // 8, number % 8, (32, 32), True))
    assert reader.families(click) is not first
    again = reader.families(click)
    assert all(np.array_equal(a.scores, b.scores) for a, b in zip(first, again, strict=True))
    counts = []
    for number in range(70):
        reader.remembered((number,), lambda number=number: counts.append(number))
    reader.remembered((69,), lambda: counts.append(-1))
    assert counts == list(range(70))
    reader.remembered((0,), lambda: counts.append(-1))
    assert counts[-1] == -1


@pytest.mark.parametrize("evidence", ["both", "image"])
def test_the_best_level_of_color_is_the_thing(evidence):
    family = PlaneReader(PLANE, evidence).families(CLICK)[0]
    disc = thing(1)
    overlaps = []
    for level in range(len(family.scores)):
        region = family.regions.region(level)
        overlaps.append((region & disc).sum() / (region | disc).sum())
    assert max(overlaps) > 0.9
    assert overlaps[int(np.argmax(family.scores))] > 0.8
