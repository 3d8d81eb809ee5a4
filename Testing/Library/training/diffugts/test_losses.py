import math

import pytest
import torch

from DiffusionSegLib.training.diffugts.losses import (
    TEMPERATURE,
    anomaly_loss,
    choice_loss,
    expectation_loss,
    overlap_loss,
    place_loss,
    similarity_loss,
)


def test_anomaly():
    """-log of the probability of what is so: 0.8 for the first, 1 - 0.2 for the second."""
    logits = torch.tensor([math.log(4), -math.log(4)])
    found = anomaly_loss(logits, torch.tensor([True, False]))
    assert float(found) == pytest.approx(-math.log(0.8), abs=1e-6)
    wrong = anomaly_loss(logits, torch.tensor([False, True]))
    assert float(wrong) == pytest.approx(-math.log(0.2), abs=1e-6)


def test_overlap():
    """Counted are three places: 2 (0.5 + 1) / (0.5 + 1 + 0 + 1 + 1) with one added to both."""
    maps = torch.tensor([[0.5, 1.0], [0.0, 0.9]])
    mask = torch.tensor([[1.0, 1.0], [0.0, 0.0]])
    counted = torch.tensor([[1.0, 1.0], [1.0, 0.0]])
    wanted = 1 - (2 * 1.5 + 1) / (1.5 + 2.0 + 1)
    assert float(overlap_loss(maps, mask, counted)) == pytest.approx(wanted, abs=1e-6)


def test_place():
    logits = torch.tensor([[0.0, math.log(3)], [50.0, 0.0]])
    mask = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    counted = torch.tensor([[1.0, 1.0], [0.0, 0.0]])
    wanted = (-math.log(0.5) - math.log(0.25)) / 2
    assert float(place_loss(logits, mask, counted)) == pytest.approx(wanted, abs=1e-6)
    assert float(place_loss(logits, mask, torch.zeros(2, 2))) == 0.0


def test_similarity_by_hand():
    """Three class embeddings, of which two are of the first text. Cosines 1, 0 and 0.6, 0.8."""
    vectors = torch.eye(2)
    classes = torch.tensor([[2.0, 0.0], [0.6, 0.8], [0.0, 5.0]])
    cosines = [[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]]
    scaled = [[value / TEMPERATURE for value in row] for row in cosines]
    numbers = [0, 0, 1]
    rows = [
        math.log(sum(math.exp(v) for v in row)) - row[n]
        for row, n in zip(scaled, numbers, strict=True)
    ]
    columns = []
    for text in range(2):
        own = [row[text] for row in scaled]
        total = math.log(sum(math.exp(value) for value in own))
        match = [value for value, n in zip(own, numbers, strict=True) if n == text]
        columns.append(sum(total - value for value in match) / len(match))
    wanted = (sum(rows) / 3 + sum(columns) / 2) / 2
    found = similarity_loss(classes, vectors, torch.tensor(numbers))
    assert float(found) == pytest.approx(wanted, rel=1e-5)


def test_similarity_is_least_where_embeddings_are_their_texts():
    vectors = torch.nn.functional.normalize(torch.randn(4, 16), dim=1)
    numbers = torch.tensor([0, 1, 2, 3])
    right = similarity_loss(vectors, vectors, numbers)
    assert float(right) < float(similarity_loss(vectors.flip(0), vectors, numbers))


def test_choice():
    """Beliefs 3/4 and 1/4 of regions with Dice 0.8 and 0; then each one's own cross-entropy."""
    logits, dice = torch.tensor([math.log(3), 0.0]), torch.tensor([0.8, 0.0])
    own = [-(0.8 * math.log(0.75) + 0.2 * math.log(0.25)), -math.log(0.5)]
    wanted = -0.75 * 0.8 + 0.3 * sum(own) / 2
    assert float(choice_loss(logits, dice, 0.3)) == pytest.approx(wanted, abs=1e-6)


def test_expectation():
    """Chosen with 9/10 and 1/10, since beliefs are squared; the choice gets no gradient."""
    logits = torch.tensor([math.log(3), 0.0], requires_grad=True)
    expected = torch.tensor([0.0, math.log(4)], requires_grad=True)
    found = expectation_loss(expected, logits, torch.tensor([0.8, 0.0]))
    wanted = 0.9 * -math.log(0.5) + 0.1 * -math.log(0.2)
    assert found.item() == pytest.approx(wanted, abs=1e-6)
    found.backward()
    assert logits.grad is None and float(expected.grad.abs().min()) > 0
