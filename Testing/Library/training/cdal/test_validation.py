import numpy as np
import pytest
import torch

from DiffusionSegLib.diffusion.variance_preserving import (
    VariancePreservingConfig,
    VariancePreservingProcess,
)
from DiffusionSegLib.training.cdal.pictures import sample_picture
from DiffusionSegLib.training.cdal.step import TrainingStep
from DiffusionSegLib.training.cdal.validation import dice_per_label, predict_classes, validate
from Testing.Library.methods.cdal.tiny import constant_network, tiny_network
from Testing.Library.training.cdal.tiny_task import disc_pack, tiny_task

PROCESS = VariancePreservingProcess(VariancePreservingConfig(2))


def test_dice_by_hand():
    predicted = np.array([[[1, 1, 0, 2]]], np.uint8)
    truth = np.array([[[1, 0, 0, 2]]], np.uint8)
    assert dice_per_label(predicted, truth, 3) == pytest.approx([2 / 3, 1.0, 1.0])
    assert dice_per_label(predicted * 0, truth, 2) == [0.0, 0.0]


def test_all_foreground_scores_what_counting_says():
    case = disc_pack().part("validation")[0]
    inside, size = int((case.label > 0).sum()), case.label.numel()
    (score,) = validate(tiny_task(), constant_network(0.9), PROCESS, [case])
    assert score == pytest.approx(2 * inside / (inside + size))
    (score,) = validate(tiny_task(), constant_network(0.1), PROCESS, [case])
    assert score == 0


def test_predictions_cover_the_whole_case_and_repeat():
    case = disc_pack(labels=2).part("validation")[0]
    network = tiny_network(labels=2)
    found = predict_classes(tiny_task(labels=2), network, PROCESS, case)
    assert found.shape == case.label.shape
    assert set(np.unique(found)) <= {0, 1, 2}
    assert np.array_equal(found, predict_classes(tiny_task(labels=2), network, PROCESS, case))


def test_the_picture_shows_image_truth_and_prediction():
    task, pack = tiny_task(), disc_pack()
    steps = TrainingStep(task, torch.device("cpu"), torch.Generator())
    picture = sample_picture(task, steps, pack)
    assert picture.shape == (2 * 20, 3 * 20, 3)
    assert picture.dtype == np.uint8
    truth = picture[:20, 20:40, 0] > 127
    assert np.array_equal(truth, pack.part("validation")[0].label[0].numpy() > 0)
