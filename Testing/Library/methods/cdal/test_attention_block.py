import math

import torch
from torch.profiler import profile

from DiffusionSegLib.methods.cdal.attention_block import AttentionBlock
from Testing.Library.reference.awake import awake, normal


def test_it_starts_as_the_identity_over_root_two():
    x = normal(2, 8, 4, 6)
    assert torch.allclose(AttentionBlock(8)(x), x / math.sqrt(2), atol=1e-6)


def test_it_is_the_softmax_written_out():
    block = awake(AttentionBlock(8)).double()
    x = normal(1, 8, 3, 5).double()
    tokens = block.norm(x).flatten(2)[0].T
    query, key, value = block.query(tokens), block.key(tokens), block.value(tokens)
    mixed = torch.zeros_like(tokens)
    for row in range(len(tokens)):
        scores = [math.exp(float(query[row] @ k) / math.sqrt(8)) for k in key]
        for score, v in zip(scores, value, strict=True):
            mixed[row] += score / sum(scores) * v
    wanted = (x + block.project(mixed).T.reshape(x.shape)) / math.sqrt(2)
    assert torch.allclose(block(x), wanted, atol=1e-10)


def test_positions_have_no_order():
    block = awake(AttentionBlock(8))
    x = normal(2, 8, 4, 6)
    assert torch.allclose(block(x.flip([2, 3])), block(x).flip([2, 3]), atol=1e-5)
    volume = x.reshape(2, 8, 2, 4, 3)
    assert torch.allclose(block(volume), block(x).reshape(volume.shape), atol=1e-5)


@torch.inference_mode()
def test_positions_are_never_held_against_all_positions() -> None:
    block = awake(AttentionBlock(8))
    x = torch.randn(1, 8, 16, 16, 16)
    with profile(profile_memory=True) as watched:
        block(x)
    largest = max(event.self_cpu_memory_usage for event in watched.events())
    assert largest < 4096 * 4096 * 4 / 50
