import torch

from DiffusionSegLib.methods.cdal.time_embedding import sinusoid
from Testing.Library.reference import cdal_reference as reference


def test_sines_come_before_cosines():
    assert torch.equal(sinusoid(torch.tensor([0]), 8), torch.tensor([[0.0] * 4 + [1.0] * 4]))
    row = sinusoid(torch.tensor([1]), 8)[0]
    assert torch.allclose(row[0], torch.tensor(1.0).sin())  # the fastest has one radian per step
    assert torch.allclose(row[3], torch.tensor(1e-4).sin())  # the slowest 1 / 10000


def test_embedding_is_the_written_out_one():
    steps = torch.tensor([0, 1, 2, 3, 999])
    assert torch.allclose(
        sinusoid(steps, 32), reference.sinusoid(steps, 32, torch.float32), atol=1e-4
    )


def test_times_can_be_told_apart():
    table = sinusoid(torch.arange(4), 32)
    distance = torch.cdist(table, table) + 9 * torch.eye(4)
    assert float(distance.min()) > 0.5
