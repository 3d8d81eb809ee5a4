import pytest
import torch

from DiffusionSegLib.backbones.latent_diffusion.attention_pass import (
    AttentionRequest,
    run_attention_pass,
)
from DiffusionSegLib.backbones.latent_diffusion.pipeline import DiffusersPipeline, open_pipeline
from DiffusionSegLib.diffusion.attention.layers import find_attention_layers
from DiffusionSegLib.errors import Cancelled, InputError, ModelError, OutOfMemoryError
from DiffusionSegLib.methods.adzus.regions import find_regions
from DiffusionSegLib.methods.adzus.settings import RegionSettings
from DiffusionSegLib.progress import Progress
from Testing.Library.backbones.latent_diffusion.tiny import image
from Testing.Library.diffusion.attention.slow_capture import slow_maps
from Testing.Library.reference.awake import awake


@pytest.fixture
def pipeline(pipeline_folder):
    opened = open_pipeline(pipeline_folder)
    awake(opened.network, gain=3.0)
    return opened


def test_maps_are_those_of_one_plain_pass(pipeline):
    request = AttentionRequest(timestep=120, text="red cat", cross=True)
    found = run_attention_pass(pipeline, image(32, 64), request)
    assert found.latent == (8, 16) and found.precision == torch.float32
    layers = find_attention_layers(pipeline.network)
    latent, text = pipeline.encode(image(32, 64)), pipeline.embed_text("red cat")
    slow = slow_maps(
        pipeline.network,
        [one.name for one in layers],
        {one.name: one.module.heads for one in layers},
        lambda: pipeline.denoise(latent, 120, text),
    )
    assert len(found.self_maps) == len(found.cross_maps) == 3
    for one in found.maps:
        wanted = torch.stack([slow[name] for name in one.layers]).mean(0)
        assert (one.weights - wanted).abs().max() < 1e-5


def test_the_same_request_gives_the_same_maps_and_noise_is_by_seed(pipeline):
    def maps(**words):
        found = run_attention_pass(pipeline, image(), AttentionRequest(**words))
        return torch.cat([one.weights.reshape(-1) for one in found.maps])

    plain, noisy = maps(), maps(noise_seed=1)
    assert torch.equal(plain, maps()) and torch.equal(noisy, maps(noise_seed=1))
    assert not torch.equal(noisy, plain) and not torch.equal(noisy, maps(noise_seed=2))
    assert not torch.equal(plain, maps(timestep=10)) and not torch.equal(plain, maps(text="x"))


def test_layers_can_be_grouped(pipeline):
    request = AttentionRequest(group_of=lambda layer: layer.name.split("_")[0])
    found = run_attention_pass(pipeline, image(), request)
    assert [one.group for one in found.maps] == ["down", "up", "down", "up", "mid"]


def in_half(pipeline: DiffusersPipeline) -> DiffusersPipeline:
    for part in (pipeline.network, pipeline._autoencoder, pipeline._text_encoder.network):
        part.half()
    return pipeline


def test_half_precision_that_does_not_overflow_is_kept(pipeline_folder):
    pipeline = open_pipeline(pipeline_folder)
    wanted = run_attention_pass(pipeline, image(), AttentionRequest())
    found = run_attention_pass(in_half(pipeline), image(), AttentionRequest())
    assert found.precision == torch.float16
    for one, same in zip(found.maps, wanted.maps, strict=True):
        assert one.weights.dtype == torch.float32
        assert (one.weights - same.weights).abs().max() < 0.05 / len(one.weights)


def test_a_latent_that_overflows_half_precision_is_redone_in_full(pipeline_folder):
    pipeline = open_pipeline(pipeline_folder)
    autoencoder = pipeline._autoencoder
    with torch.no_grad():  # each fits, their product does not
        autoencoder.encoder.conv_out.weight *= 1e3
        autoencoder.quant_conv.weight *= 1e3
    wanted = run_attention_pass(pipeline, image(), AttentionRequest())
    found = run_attention_pass(in_half(pipeline), image(), AttentionRequest())
    assert found.precision == pipeline.dtype == torch.float32
    for one, same in zip(found.maps, wanted.maps, strict=True):
        assert (one.weights - same.weights).abs().max() < 0.05 / len(one.weights)


def test_an_overflow_inside_the_network_is_redone_in_full(pipeline_folder):
    pipeline = in_half(open_pipeline(pipeline_folder))
    weight = find_attention_layers(pipeline.network)[0].module.to_v.weight
    with torch.no_grad():
        weight.copy_(6e4 * weight.sign())
    assert run_attention_pass(pipeline, image(), AttentionRequest()).precision == torch.float32


def test_damaged_weights_are_told(pipeline):
    with torch.no_grad():
        pipeline.network.conv_in.weight[0] = torch.nan
    with pytest.raises(ModelError, match="no numbers for this image"):
        run_attention_pass(pipeline, image(), AttentionRequest())


@pytest.mark.parametrize("timestep", [-1, 1000])
def test_a_timestep_that_is_not_there_is_refused(pipeline, timestep):
    with pytest.raises(InputError, match=f"between 0 and 999, not {timestep}"):
        run_attention_pass(pipeline, image(), AttentionRequest(timestep=timestep))


def test_it_reports_and_can_be_cancelled(pipeline):
    told = []
    progress = Progress(lambda report: told.append((report.fraction, report.stage)))
    run_attention_pass(pipeline, image(), AttentionRequest(), progress)
    assert told[0] == (0.0, "encoding the image") and told[-1] == (1.0, "reading attention")
    with pytest.raises(Cancelled):
        run_attention_pass(
            pipeline, image(), AttentionRequest(), Progress(cancelled=lambda: len(told) > 0)
        )


def test_too_little_memory_is_one_sentence(pipeline):
    """An image of a thousand times a thousand million pixels, which torch really refuses."""
    huge = torch.zeros(1).expand(1, 3, 16 * 10**6, 16 * 10**6)
    with pytest.raises(OutOfMemoryError, match="attention pass over 16000000 x 16000000 pixels"):
        run_attention_pass(pipeline, huge, AttentionRequest())


def test_maps_become_regions(pipeline):
    """From a folder and an image to numbered regions."""
    found = run_attention_pass(pipeline, image(), AttentionRequest())
    regions = find_regions(found.self_maps, (64, 64), RegionSettings(tau=0.5, anchors=4))
    assert regions.labels.shape == (64, 64) and regions.grid == (16, 16)
    assert regions.labels.max() < len(regions.proposals) <= 16
