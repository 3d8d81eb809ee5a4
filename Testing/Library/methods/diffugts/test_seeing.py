"""What is computed once per image, and the map of a text from it."""

import numpy as np
import pytest
import torch

from DiffusionSegLib.errors import Cancelled
from DiffusionSegLib.methods.diffugts.anomaly_maps import AnomalyMaps, AnomalyMapsConfig
from DiffusionSegLib.methods.diffugts.embedding import as_batch, embed_image
from DiffusionSegLib.methods.diffugts.intensities import IntensityRule
from DiffusionSegLib.methods.diffugts.map_reading import read_maps
from DiffusionSegLib.methods.diffugts.seeing import see
from DiffusionSegLib.methods.diffugts.working_grid import WorkingGrid
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.progress import Progress
from Testing.Library.methods.diffugts.backbones import Counting, plane_backbone, volume_backbone
from Testing.Library.methods.diffugts.toys import ball, head
from Testing.Library.reference.awake import awake, normal

RULE = IntensityRule((-160, 240), (0, 100))


def prepared(backbone, image, spacing=None):
    maps = AnomalyMaps(
        AnomalyMapsConfig(backbone.stage_channels, 12, 4, 6, (3, 5), dims=backbone.dims)
    )
    embedding = embed_image(image, None, backbone, WorkingGrid(backbone.dims, 32, spacing), RULE)
    return awake(maps, 2), embedding


def plane(tmp_path, slices=3):
    backbone = plane_backbone(tmp_path)
    picture, _ = head(32, 32)
    array = np.concatenate([np.roll(picture.array, 3 * n, axis=3) for n in range(slices)], axis=1)
    return backbone, *prepared(backbone, Image(array, Geometry((slices, 32, 32), (1, 1, 5))))


def volume(tmp_path):
    backbone = volume_backbone(tmp_path)
    image, _ = ball(Geometry((32, 32, 32)), (-16, -16, 16), (6, 6, 6), (14, 14, 14))
    return backbone, *prepared(backbone, image)


@pytest.mark.parametrize("made", [plane, volume])
@torch.no_grad()
def test_the_map_is_that_of_the_encoder_s_stages(tmp_path, made):
    backbone, maps, embedding = made(tmp_path)
    reading, texts = embedding.read_as("mr"), normal(2, 12)
    sight = see(embedding, reading, backbone, maps, Progress.silent())
    items = as_batch(reading.picture, backbone.dims)
    voxels = tuple(items.shape[2:])
    found = read_maps(sight, maps, texts, voxels)
    assert found.logits.shape == (len(items), *voxels) and found.logits.dtype == torch.float32
    slow = maps(backbone.encode(items).stages, texts[None])
    apart = slow.logits[:, 1:] - slow.logits[:, :1]
    mode = "bilinear" if backbone.dims == 2 else "trilinear"
    wanted = torch.nn.functional.interpolate(apart, size=voxels, mode=mode)[:, 0]
    torch.testing.assert_close(found.logits, wanted, atol=5e-3, rtol=1e-2)  # kept in half floats
    torch.testing.assert_close(found.scores, slow.anomaly.sigmoid(), atol=1e-3, rtol=1e-2)
    assert float(found.logits.std()) > 0


def test_an_image_is_seen_once(tmp_path):
    plain, maps, embedding = plane(tmp_path)
    backbone = Counting(plain)
    first = see(embedding, embedding.read_as("auto"), backbone, maps, Progress.silent())
    assert see(embedding, embedding.read_as("auto"), backbone, maps, Progress.silent()) is first
    assert backbone.rows["encode"] == 3
    other = see(embedding, embedding.read_as("mr"), backbone, maps, Progress.silent())
    assert other is not first and backbone.rows["encode"] == 6


def test_nothing_is_kept_of_what_was_stopped(tmp_path):
    backbone, maps, embedding = plane(tmp_path)
    reading, told = embedding.read_as("auto"), []
    before = dict(embedding.kept)
    left = [2]

    def cancelled():
        left[0] -= 1
        return left[0] < 0

    with pytest.raises(Cancelled):
        see(embedding, reading, backbone, maps, Progress(cancelled=cancelled), 1)
    assert embedding.kept == before
    whole = see(embedding, reading, backbone, maps, Progress(listener=told.append), 1)
    assert [round(one.fraction, 2) for one in told] == [0, 0.33, 0.67, 1]
    assert {one.stage for one in told} == {"Reading the image"}
    assert len(whole.queries[0]) == 3


def test_batches_are_parts_in_order(tmp_path):
    backbone, maps, embedding = plane(tmp_path, 5)
    sight = see(embedding, embedding.read_as("auto"), backbone, maps, Progress.silent())
    parts = list(sight.batches(2))
    assert [part for part, _ in parts] == [slice(0, 2), slice(2, 4), slice(4, 5)]
    joined = torch.cat([queries[0] for _, queries in parts])
    assert joined.dtype == torch.float32 and torch.equal(joined, sight.queries[0].float())
