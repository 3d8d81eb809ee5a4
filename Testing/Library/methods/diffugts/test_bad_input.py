"""Whatever is wrong with image, mask or prompt: one sentence that names it, and the session lives
on; whatever is only unusual is answered."""

import numpy as np
import pytest

from DiffusionSegLib.errors import DiffusionSegError, InputError, PromptError
from DiffusionSegLib.nouns.geometry import Geometry, as_direction
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Prompt
from DiffusionSegLib.nouns.verdict import Verdict
from Testing.Library.methods.diffugts.toys import (
    ball,
    click,
    dice,
    head,
    toy_session,
    write_models,
)

IMAGE, LESION = head(64, 64)
WORDS = Prompt(text="brain tumor")


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    folder = write_models(tmp_path_factory.mktemp("models"), volume=True)
    return {name: toy_session(folder, name) for name in ("trained", "plain", "volume")}


def told(error):
    text = str(error.value)
    assert "\n" not in text and text[0].isupper() and text.endswith(".") and len(text) < 400
    return text


def gray(array):
    array = np.asarray(array)
    return Image(array.reshape(1, *([1] * (3 - array.ndim)), *array.shape), Geometry(
        (1,) * (3 - array.ndim) + array.shape
    ))  # fmt: skip


def holding(value):
    array = IMAGE.array[0, 0].astype(np.float32)
    array[3, 3] = value
    return gray(array)


@pytest.mark.parametrize(
    ("image", "word"),
    [
        (gray(np.full((32, 32), 7, np.uint8)), "are 7"),
        (holding(np.nan), "not a number"),
        (holding(np.inf), "not a number"),
        (gray(np.arange(300.0).reshape(1, 300)), "too small"),
        (gray(np.arange(16.0).reshape(4, 4)), "too small"),
        (Image(np.stack([IMAGE.array[0]] * 2), IMAGE.geometry, ("T1", "T2")), r"2 \(T1, T2\)"),
    ],
    ids=["constant", "nan", "infinite", "one row", "tiny", "two channels"],
)
def test_images_that_cannot_be_used(sessions, image, word):
    session = sessions["trained"]
    session.set_image(IMAGE)
    before = session.propose(WORDS).probability.array
    with pytest.raises(InputError, match=word) as error:
        session.set_image(image)
    told(error)
    assert np.array_equal(session.propose(WORDS).probability.array, before)


def test_a_picture_for_a_model_of_volumes(sessions):
    with pytest.raises(InputError, match=r"three dimensions.*single slice") as error:
        sessions["volume"].set_image(IMAGE)
    told(error)


@pytest.mark.parametrize("name", ["trained", "plain"])
def test_a_mask_that_covers_everything_is_left_as_it_is(sessions, name):
    session = sessions[name]
    session.set_image(IMAGE)
    mask = Mask(np.ones(LESION.shape, np.uint8), IMAGE.geometry)
    found = session.refine(mask, original=mask)
    assert found.mask().array.all()
    assert "no healthy tissue to compare with" in found.verdict.reason
    assert "pseudo-healthy" not in found.auxiliary


def test_an_empty_mask_is_never_a_success(sessions):
    session = sessions["plain"]
    session.set_image(IMAGE)
    mask = Mask(np.zeros(LESION.shape, np.uint8), IMAGE.geometry)
    found = session.refine(mask, original=mask)
    assert found.verdict.state is Verdict.NOT_FOUND and found.mask().is_empty


@pytest.mark.parametrize("shade", [0, 128])
def test_a_healthy_picture_is_never_called_a_finding_with_an_empty_outline(sessions, shade):
    """Noise alone: whatever is answered, an empty outline is not found."""
    session = sessions["trained"]
    noise = np.random.default_rng(0).integers(0, 8, (48, 48)) + shade
    session.set_image(gray(noise.astype(np.uint8)))
    for prompt in (WORDS, Prompt(text="脑肿瘤"), Prompt()):
        found = session.propose(prompt)
        if found.mask().is_empty:
            assert found.verdict.state is Verdict.NOT_FOUND
        if prompt.text == "脑肿瘤":
            assert found.verdict.state is not Verdict.FOUND


def test_marks_outside_image_or_region(sessions):
    session = sessions["plain"]
    session.set_image(IMAGE)
    region = Box.from_corners(*IMAGE.geometry.kji_to_ras([[0, 10, 10], [0, 50, 50]]))
    outside = click(IMAGE, 0, 60, 60)
    strokes = np.zeros(LESION.shape, np.uint8)
    strokes[0, 60, 55:62] = 1
    for prompt in (
        Prompt(points=[(500.0, 500.0, 0.0)]),
        Prompt(points=[outside], region=region),
        Prompt(boxes=[Box(outside.position_ras, (3, 3, 0))], region=region),
        Prompt(scribbles=Mask(strokes, IMAGE.geometry), region=region),
    ):
        with pytest.raises(PromptError, match="outside") as error:
            session.propose(prompt)
        told(error)
        with pytest.raises(PromptError):
            session.refine(Mask(LESION.astype(np.uint8), IMAGE.geometry), prompt)
    assert not session.propose(Prompt(points=[click(IMAGE, 0, 26, 39)])).mask().is_empty


def volume(shape, spacing, direction=None, center=None):
    geometry = Geometry(shape, spacing, (0, 0, 0), as_direction(direction or np.eye(3).tolist()))
    middle = geometry.kji_to_ras([(np.array(shape) - 1) / 2])[0] if center is None else center
    return ball(geometry, middle, (8, 8, 8), (22, 26, 26))


@pytest.mark.parametrize(
    ("shape", "spacing"),
    [
        ((8, 56, 56), (1.0, 1.0, 5.0)), ((3, 56, 56), (1.0, 1.0, 5.0)),
        ((56, 56, 8), (5.0, 1.0, 1.0)),
    ],
    ids=["5 mm slices", "thin", "5 mm slices stored last"],
)  # fmt: skip
def test_thick_slices_and_thin_volumes(sessions, shape, spacing):
    image, inside = volume(shape, spacing)
    session = sessions["plain"]
    session.set_image(image)
    middle = [(n - 1) // 2 for n in shape]
    found = session.propose(Prompt(points=[click(image, *middle)]))
    assert found.mask().geometry == image.geometry
    assert dice(found.mask().array, inside) > 0.6
    refined = session.refine(Mask(inside.astype(np.uint8), image.geometry))
    assert dice(refined.mask().array, inside) > 0.6


def test_words_about_a_volume(sessions):
    image, _inside = volume((5, 56, 56), (1.0, 1.0, 5.0))
    session = sessions["trained"]
    session.set_image(image)
    found = session.propose(Prompt(text="liver tumor"))
    assert (found.verdict.state is Verdict.NOT_FOUND) == found.mask().is_empty
    assert found.auxiliary["anomaly map"].geometry.shape_kji == (5, 64, 64)
    assert session.workload(Prompt(text="liver tumor")).words.startswith("up to 5 slices")


def test_ct_of_air_alone(sessions):
    """All of it is one shade in the window that the card names."""
    air = np.random.default_rng(0).normal(-900, 20, (48, 48)).astype(np.int16)
    session = sessions["trained"]
    session.set_image(gray(air))
    assert session.propose(WORDS).verdict.state is Verdict.NOT_FOUND
    found = session.propose(Prompt(points=[click(gray(air), 0, 24, 24)]))
    assert (found.verdict.state is Verdict.NOT_FOUND) == found.mask().is_empty


def test_a_color_picture(sessions):
    tinted = (IMAGE.array * np.array([0.0, 1.0, 0.4])[:, None, None, None]).astype(np.uint8)
    image = Image(tinted, IMAGE.geometry, ("red", "green", "blue"))
    session = sessions["plain"]
    session.set_image(image)
    found = session.propose(Prompt(points=[click(image, 0, 26, 39)]))
    assert dice(found.mask().array, LESION) > 0.5


def test_a_mask_of_another_image(sessions):
    session = sessions["plain"]
    session.set_image(IMAGE)
    far = Geometry((1, 8, 8), (1, 1, 1), (900.0, 900.0, 0.0))
    with pytest.raises(DiffusionSegError, match="outside the image") as error:
        session.refine(Mask(np.ones((1, 8, 8), np.uint8), far))
    told(error)
