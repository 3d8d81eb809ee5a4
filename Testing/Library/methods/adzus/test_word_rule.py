"""With a real network of few weights, real words, and maps made by hand."""

import numpy as np
import pytest

from DiffusionSegLib.errors import Cancelled, PromptError
from DiffusionSegLib.methods.adzus import word_rule
from DiffusionSegLib.methods.adzus.plane import make_plane
from DiffusionSegLib.methods.adzus.word_rule import is_pathology, outline_words
from DiffusionSegLib.progress import Progress
from Testing.Library.backbones.compact.tiny import (
    open_tiny,
    tiny_config,
    tiny_networks,
    write_card,
    write_model,
)
from Testing.Library.methods.adzus.made_planes import made_picture
from Testing.Library.reference.awake import awake

pytest.importorskip("transformers", reason="transformers is part of the test extra")


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    """Attends more to some places than to others, which a network of small weights hardly does."""
    autoencoder, denoiser = tiny_networks()
    networks = autoencoder, awake(denoiser, gain=2.0)
    folder = write_model(tmp_path_factory.mktemp("words") / "model", networks)
    write_card(folder, settings=tiny_config().to_dict() | {"text_length": 12})
    return open_tiny(folder)


@pytest.fixture(scope="module")
def plane(backbone):
    return make_plane(made_picture(64), backbone, 100, Progress.silent())


def test_words_give_an_outline_with_a_score(backbone, plane):
    told = []
    progress = Progress(lambda report: told.append(report.fraction))
    found = outline_words(plane, backbone, "cell nucleus", 100, progress)
    again = outline_words(plane, backbone, "cell nucleus", 100, Progress.silent())
    assert found.probability.shape == plane.canvas.size
    assert found.mask.any()
    assert not found.mask.all()
    assert 0 <= found.score <= 1
    assert np.array_equal(found.probability, again.probability)
    assert found.score == again.score
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_an_untrained_network_does_not_claim_to_know_words(backbone, plane):
    for text in ("liver", "xqzv", "печень"):
        assert outline_words(plane, backbone, text, 100, Progress.silent()).score < 0.5


def test_a_text_without_meaning_outlines_nothing(backbone, plane):
    for text in ("the of a", "...", ""):
        found = outline_words(plane, backbone, text, 100, Progress.silent())
        assert found.score == 0.0
        assert not found.mask.any()


def test_a_long_text_is_refused_and_a_job_can_be_cancelled(backbone, plane):
    with pytest.raises(PromptError, match="nothing was cut"):
        outline_words(plane, backbone, "lung " * 20, 100, Progress.silent())
    with pytest.raises(Cancelled):
        outline_words(plane, backbone, "lung", 100, Progress(cancelled=lambda: True))


def test_pathology_is_asked_here_too():
    assert is_pathology("tumour")


def test_otsu_is_the_threshold_with_the_least_variance_within():
    """Against trying every threshold."""
    rng = np.random.default_rng(3)
    values = np.concatenate([rng.normal(0, 1, 700), rng.normal(6, 1.5, 300)]).astype(np.float32)

    def within(level):
        parts = values[values < level], values[values >= level]
        return sum(len(part) * part.var() for part in parts if len(part))

    best = min(np.linspace(values.min(), values.max(), 400), key=within)
    found = word_rule._otsu(values.reshape(10, 100))
    assert within(found) == pytest.approx(within(best), rel=0.01)


def test_only_parts_about_as_strong_as_the_strongest_stay():
    values = np.zeros((20, 30), dtype=np.float32)
    values[2:8, 2:8] = 1.0  # 36 pixels that rise by 0.5
    values[2:8, 12:16] = 1.0  # 24: two thirds of it
    values[12:14, 2:8] = 1.0  # 12: one third
    values[12:16, 20:24] = 3.0  # 16 pixels that rise by 2.5: the strongest
    strong = word_rule._strong_parts(values, 0.5)
    assert strong.sum() == 16
    values[12:16, 20:24] = 1.0
    assert word_rule._strong_parts(values, 0.5).sum() == 36 + 24


def test_a_map_that_says_nothing_outlines_nothing():
    for values in (np.zeros((8, 8)), 1 + 1e-6 * np.random.default_rng(0).random((8, 8))):
        level = word_rule._otsu(values.astype(np.float32))
        assert not word_rule._strong_parts(values.astype(np.float32), level).any()


def test_separation_is_the_share_of_variance_between():
    values = np.array([[1.0, 1.0, 0.0, 0.0]], dtype=np.float32)
    assert word_rule._separation(values, values > 0.5) == pytest.approx(1.0)
    assert word_rule._separation(values, np.array([[True, False, True, False]])) == 0.0
    assert word_rule._separation(values, values < 0.5) == 0.0
    mixed = np.array([[1.0, 0.0, 0.0, 0.0]], dtype=np.float32)
    assert word_rule._separation(mixed, np.array([[True, True, False, False]])) == pytest.approx(
        1 / 3
    )
