import torch

from DiffusionSegLib.methods.cdal.condition_encoder import ConditionEncoder
from DiffusionSegLib.methods.cdal.config import GeneratorConfig
from Testing.Library.reference.awake import awake, normal

CONFIG = GeneratorConfig(width=8, condition_blocks=2, condition_groups=4, image_channels=2)


def test_it_starts_as_one_convolution():
    encoder = ConditionEncoder(CONFIG)
    image = normal(2, 2, 9, 7)
    assert torch.equal(encoder(image), encoder.stem(image))


def test_features_keep_the_resolution_and_every_block_counts():
    encoder = awake(ConditionEncoder(CONFIG))
    image = normal(2, 2, 9, 7)
    features = encoder(image)
    assert features.shape == (2, 8, 9, 7)
    for block in encoder.blocks:
        kept = block.conv_out.weight.data.clone()
        block.conv_out.weight.data.zero_()
        assert float((encoder(image) - features).abs().max()) > 0.1
        block.conv_out.weight.data.copy_(kept)


def test_samples_of_a_batch_do_not_mix():
    encoder = awake(ConditionEncoder(CONFIG))
    image = normal(3, 2, 8, 8)
    alone = torch.cat([encoder(one[None]) for one in image])
    assert torch.allclose(encoder(image), alone, atol=1e-5)


def test_there_are_never_more_groups_than_channels():
    narrow = GeneratorConfig(width=8, condition_blocks=1)  # 32 groups as released
    assert ConditionEncoder(narrow)(normal(1, 1, 8, 8)).shape == (1, 8, 8, 8)
