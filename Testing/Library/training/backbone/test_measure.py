import pytest
import torch

from DiffusionSegLib.training.backbone.measure import whole_image


@pytest.mark.parametrize(
    ("shape", "size"),
    [((1, 256, 256), (256, 256)), ((3, 170, 256), (160, 256)), ((1, 48, 48), (128, 128)),
     ((1, 35, 51), (128, 192)), ((3, 20, 300), (128, 1920))],
)  # fmt: skip
def test_whole_images_have_sides_that_the_model_reads(shape, size):
    image = whole_image(torch.full(shape, 255, dtype=torch.uint8), 32)
    assert image.shape == (1, 3, *size)
    assert torch.allclose(image, torch.ones_like(image), atol=1e-5)
