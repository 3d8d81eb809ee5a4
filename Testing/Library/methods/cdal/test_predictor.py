import json
import logging
import math

import numpy as np
import pytest
import torch

from DiffusionSegLib.errors import OutOfMemoryError
from DiffusionSegLib.methods.cdal.generator import Generator
from DiffusionSegLib.methods.cdal.predictor import CdalPredictor
from DiffusionSegLib.methods.cdal.volume_ensemble import _agreement
from DiffusionSegLib.methods.contract import RunOptions
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Prompt
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.nouns.verdict import Verdict
from DiffusionSegLib.progress import Progress
from Testing.Library.geometries import KIND_NAMES, KINDS, grid
from Testing.Library.methods.cdal.tiny import constant_network, tiny_config, tiny_network
from Testing.Library.toy_model import PLANE, VOLUME, smooth_image, toy_session, write_toy

RUN = RunOptions(seed=3, samples=2, parameters={"precision": "float32"})
PICTURE = Geometry((1, 30, 28))
SPACE = Geometry((12, 26, 22))


class Hungry(Generator):
    """A network that fails like an allocator when its input has too many pixels."""

    most = 0
    error: BaseException = RuntimeError("not enough memory: you tried to allocate 9 bytes")

    def encode_condition(self, image):
        if math.prod(image.shape[2:]) > self.most:
            raise self.error
        return super().encode_condition(image)


def hungry(tmp_path, name, most, error=Hungry.error, **settings):
    entry = write_toy(tmp_path, name, **settings)
    dims = 3 if name == "volume" else 2
    network = Hungry(tiny_config(dims))
    network.load_state_dict(tiny_network(dims).state_dict())
    network.most, network.error = most, error
    return CdalPredictor(entry, network, "cpu")


def embed(predictor, image):
    return predictor.embed(image, None, Progress.silent())


def propose(predictor, image, prompt=None, run=RUN):
    return predictor.propose(embed(predictor, image), prompt or Prompt(), run, Progress.silent())


@pytest.mark.parametrize(
    ("name", "geometry", "grid"),
    [("gray", PICTURE, PLANE), ("gray", Geometry((3, 30, 28)), PLANE), ("volume", SPACE, VOLUME)],
    ids=["picture", "slices", "volume"],
)
@pytest.mark.parametrize(
    "error",
    [Hungry.error, torch.OutOfMemoryError("CUDA out of memory. Tried to allocate"), MemoryError()],
    ids=["cpu", "gpu", "python"],
)
def test_short_of_memory_it_works_in_smaller_windows_and_says_so(
    tmp_path, caplog, name, geometry, grid, error
):
    image, small = smooth_image(geometry), math.prod(grid["window_kji"])
    with caplog.at_level(logging.WARNING):
        found = propose(hungry(tmp_path, name, small, error), image)
    assert found.provenance.parameters["window_kji_for_lack_of_memory"] == grid["window_kji"]
    assert json.loads(found.provenance.to_json())["parameters"]["window_kji_for_lack_of_memory"]
    (record,) = caplog.records
    assert "not enough memory" in record.getMessage()
    assert " x ".join(map(str, grid["window_kji"])) in record.getMessage()
    cut = hungry(tmp_path, name, 10**9, grid={**grid, "largest_kji": None})
    assert np.array_equal(found.probability.array, propose(cut, image).probability.array)
    enough = propose(hungry(tmp_path, name, 10**9), image)
    assert "window_kji_for_lack_of_memory" not in enough.provenance.parameters
    assert not np.array_equal(found.probability.array, enough.probability.array)


def test_refinement_retries_too(tmp_path):
    predictor = hungry(tmp_path, "volume", math.prod(VOLUME["window_kji"]))
    before = Mask(np.zeros(SPACE.shape_kji), SPACE)
    edited = Mask(np.indices(SPACE.shape_kji).sum(0) > 30, SPACE)
    embedding = embed(predictor, smooth_image(SPACE))
    found = predictor.refine(embedding, edited, Prompt(), RUN, Progress.silent(), before)
    assert "window_kji_for_lack_of_memory" in found.provenance.parameters
    assert found.mask().array[edited.array > 0].all()


def test_when_even_small_windows_do_not_fit_it_is_a_sentence(tmp_path):
    image = smooth_image(SPACE)
    predictor = hungry(tmp_path, "volume", 10)
    with pytest.raises(OutOfMemoryError, match="not enough memory for this image; choose a small"):
        propose(predictor, image)
    predictor._network.most = 10**9
    assert propose(predictor, image).probability is not None  # nothing is left behind
    alone = hungry(tmp_path, "gray", 10, grid={**PLANE, "largest_kji": None})
    with pytest.raises(OutOfMemoryError):
        propose(alone, smooth_image(PICTURE))


def test_other_errors_are_not_retried(tmp_path, caplog):
    predictor = hungry(tmp_path, "volume", 10, RuntimeError("shapes differ"))
    with pytest.raises(RuntimeError, match="shapes differ"):
        propose(predictor, smooth_image(SPACE))
    assert not caplog.records


def predicting(tmp_path, probability, **presence):
    limits = {"absent": 0.3, "found": 0.8, "smallest": 1, **presence}
    entry = write_toy(tmp_path, "gray", presence=limits)
    return CdalPredictor(entry, constant_network(probability), "cpu")


@pytest.mark.parametrize(
    ("probability", "presence", "state"),
    [
        (0.1, {}, Verdict.NOT_FOUND), (0.6, {}, Verdict.UNCERTAIN), (0.95, {}, Verdict.FOUND),
        (0.6, {"absent": 0.7}, Verdict.NOT_FOUND), (0.95, {"smallest": 1e6}, Verdict.NOT_FOUND),
        (0.1, {"absent": 0.0, "found": 0.0}, Verdict.NOT_FOUND),
    ],
)  # fmt: skip
def test_the_verdict_and_the_mask_agree(tmp_path, probability, presence, state):
    found = propose(predicting(tmp_path, probability, **presence), smooth_image(PICTURE))
    assert found.verdict.state is state
    assert found.mask().is_empty == (state is Verdict.NOT_FOUND)
    if probability == 0.1:
        assert found.mask(0.05).is_empty  # whatever the threshold
    assert found.uncertainty.array.max() < 0.01


def test_a_mark_of_the_user_is_always_found(tmp_path):
    predictor = predicting(tmp_path, 0.1, smallest=1e6)
    point = tuple(PICTURE.kji_to_ras([0, 12, 14])[0])
    marked = propose(predictor, smooth_image(PICTURE), Prompt(points=[point]))
    assert marked.verdict.state is Verdict.FOUND
    assert marked.mask().array[0, 12, 14] == 1
    erased = propose(predictor, smooth_image(PICTURE), Prompt(points=[(*point, "-")]))
    assert erased.verdict.state is Verdict.NOT_FOUND


def test_an_outline_with_nothing_left_in_the_box_is_not_found(tmp_path):
    session = toy_session(tmp_path, "volume", samples=1)
    session.set_image(smooth_image(SPACE))
    found = session.propose()
    assert found.verdict.state is Verdict.FOUND
    low = np.argwhere(found.probability.array[0] < 0.4)[0]
    box = Box(tuple(SPACE.kji_to_ras([low])[0]), (0.5, 0.5, 0.5))
    boxed = session.propose(Prompt(boxes=[box]))
    assert boxed.verdict.state is Verdict.NOT_FOUND
    assert "inside the box" in boxed.verdict.reason
    assert boxed.mask(0.05).is_empty


def test_an_outline_lost_between_coarse_voxels_is_not_found(tmp_path):
    """One bright voxel of the model's grid vanishes on an image of much larger voxels."""
    entry = write_toy(tmp_path, "gray")
    predictor = CdalPredictor(entry, constant_network(0.1), "cpu")
    drawn = predictor._drawing.draw(embed(predictor, smooth_image(PICTURE)), RUN, Progress.silent())
    drawn.mean[0, 0, 7, 7] = 0.9
    drawn.evidence.add(drawn.mean.astype(np.float32), 1.0)
    embedding = embed(predictor, smooth_image(PICTURE))
    coarse = PICTURE.with_shape((1, 6, 7))
    object.__setattr__(embedding, "geometry", coarse)
    found = predictor._proposal(embedding, drawn, None, Prompt(), RUN, 0.0)
    assert drawn.evidence.voxels == 1
    assert found.mask().is_empty
    assert found.verdict.state is Verdict.NOT_FOUND


def test_provenance_says_how_the_result_came_to_be(tmp_path):
    entry = write_toy(tmp_path, "gray")
    predictor = CdalPredictor.load(entry, "cpu")
    point = tuple(PICTURE.kji_to_ras([0, 3, 4])[0])
    record = propose(predictor, smooth_image(PICTURE), Prompt(points=[point])).provenance
    assert (record.method, record.model, record.seed) == ("cdal", "cdal/gray", 3)
    assert record.weights_sha256 == entry.files[0].sha256
    assert record.parameters == {"precision": "float32", "samples": 2}
    assert (record.device, record.licence) == ("cpu", "CC0-1.0")
    assert record.versions["torch"] == torch.__version__
    assert record.prompt["points"] == [[*point, "+"]]
    assert record.duration_s > 0


def test_lower_precision_is_close(tmp_path):
    predictor = CdalPredictor.load(write_toy(tmp_path, "gray"), "cpu")
    answers = [
        propose(predictor, smooth_image(PICTURE), run=RunOptions(3, 2, {"precision": kind}))
        for kind in ("float32", "bfloat16")
    ]
    first, second = (answer.probability.array.astype(float) for answer in answers)
    assert not np.array_equal(first, second)
    assert np.abs(first - second).mean() < 0.03


def test_more_noise_forgets_more_of_the_given_mask(tmp_path):
    predictor = CdalPredictor.load(write_toy(tmp_path, "gray"), "cpu")
    embedding = embed(predictor, smooth_image(PICTURE))
    answers = {}
    for level in (1, 2, 1000):
        run = RunOptions(3, 2, {"precision": "float32", "refine_level": level})
        mask = Mask(np.ones(PICTURE.shape_kji), PICTURE)
        found = predictor.refine(embedding, mask, Prompt(), run, Progress.silent(), None)
        answers[level] = found.probability.array
    assert np.array_equal(answers[2], answers[1000])  # there are two steps
    assert not np.array_equal(answers[1], answers[2])


@pytest.mark.parametrize("kind", KINDS, ids=KIND_NAMES)
@pytest.mark.parametrize("rows", [1, 3, 1000])
def test_a_mask_slab_by_slab_is_that_of_the_whole_probability(kind, rows, monkeypatch):
    geometry = grid((11, 13, 17), **kind)
    coarse = geometry.with_spacing((1.7, 1.3, 2.1))
    rng = np.random.default_rng(5)
    array = rng.random((2, *coarse.shape_kji)).astype(np.float16) * np.float16(0.6)
    template = toy_proposal(Image(array, coarse), geometry)
    monkeypatch.setattr("DiffusionSegLib.nouns.proposal._SLAB_VOXELS", rows * 13 * 17)
    for threshold in (0.3, 0.5, 0.55, 0.9):
        slabs = toy_proposal(Image(array, coarse), geometry).mask(threshold).array
        assert template.probability.array.shape == (2, 11, 13, 17)
        assert np.array_equal(slabs, template.mask(threshold).array)


def toy_proposal(probability, geometry):
    from DiffusionSegLib.nouns.label import label_for
    from DiffusionSegLib.nouns.provenance import Provenance
    from DiffusionSegLib.nouns.verdict import PresenceVerdict

    verdict = PresenceVerdict(Verdict.FOUND, 1.0, "Here.")
    labels = (label_for(1), label_for(2))
    return Proposal(probability, labels, verdict, Provenance("m", "n"), geometry=geometry)


def test_a_speck_in_one_window_does_not_outvote_the_object():
    sure, speck = (100.0, 90.0, 95.0), (0.0, 1.0, 0.0)
    assert _agreement([sure]) == pytest.approx(0.95)
    assert _agreement([sure, speck]) == pytest.approx(0.95, abs=0.01)
    assert _agreement([speck]) == pytest.approx(1 / 3)
    assert _agreement([(0.0, 0.0), (0.0,)]) == 1


def test_one_empty_sample_does_not_veto_the_others():
    assert _agreement([(2700.0, 2400.0, 0.0)]) == pytest.approx(5100 / 3 / 2700)
