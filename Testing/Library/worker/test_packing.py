import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from DiffusionSegLib.errors import GeometryError, InputError, WorkerError
from DiffusionSegLib.nouns.candidate import Candidate
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.label import Label
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Point, Prompt
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.nouns.provenance import Provenance
from DiffusionSegLib.nouns.verdict import PresenceVerdict, Verdict
from DiffusionSegLib.worker import packing
from Testing.Library.geometries import SHEARED, geometries

LABELS = (Label(3, "drei", (0.1, 0.2, 0.3), "a~b~c"), Label(9, "neun ü"))
TURNED = Geometry.from_ijk_to_ras(
    (3, 4, 5), [[0.7, 0.7, 0.1, 1 / 3], [-0.7, 0.7, 0, 9], [0, 0.01, 2, 1e-9], [0, 0, 0, 1]]
)


def travel(pack, unpack, thing):
    """As the wire does it: JSON and arrays."""
    arrays = []
    return unpack(json.loads(json.dumps(pack(thing, arrays))), arrays)


@settings(max_examples=40)
@given(arrays_of.arrays(np.uint8, (3, 4, 5), elements=st.sampled_from([0, 0, 0, 0, 3, 9])))
def test_masks_arrive_the_same_although_only_a_block_travels(array):
    provenance = Provenance("m", "m/n", prompt={"points": [[1, 2, 3, "+"]]}, seed=4)
    mask = Mask(array, TURNED, LABELS, provenance)
    found = travel(packing.pack_mask, packing.unpack_mask, mask)
    assert np.array_equal(found.array, array)
    assert found.geometry == TURNED
    assert found.labels == LABELS
    assert found.provenance == provenance


def test_an_almost_empty_mask_is_small():
    array = np.zeros((40, 50, 60), np.uint8)
    array[10:12, 20:23, 30:34] = 1
    arrays = []
    packing.pack_mask(Mask.from_array(array), arrays)
    assert arrays[0].shape == (2, 3, 4)
    arrays.clear()
    packing.pack_mask(Mask.from_array(np.zeros((4, 5, 6), np.uint8)), arrays)
    assert arrays[0].size == 0


@settings(max_examples=40)
@given(geometries() | st.sampled_from([SHEARED, TURNED]))
def test_every_geometry_arrives_to_the_last_bit(geometry):
    image = Image(np.ones((1, *geometry.shape_kji)), geometry)
    found = travel(packing.pack_image, packing.unpack_image, image)
    assert found.geometry == geometry


@pytest.mark.parametrize(
    "name", ["uint8", "int16", "uint16", "int32", "float16", "float64", "bool"]
)
def test_images_keep_type_channels_and_dimension(name):
    array = np.arange(2 * 5 * 6).reshape(2, 1, 5, 6).astype(name)
    image = Image(array, Geometry((1, 5, 6)), ("CT", "µ"), dimension=3)
    found = travel(packing.pack_image, packing.unpack_image, image)
    assert (found.array.dtype, found.channel_names, found.dimension) == (
        array.dtype,
        ("CT", "µ"),
        3,
    )
    assert np.array_equal(found.array, array)


def test_prompts_arrive_whole():
    box = Box((1.5, 2, 3), (4, 5, 6), ((0, -1, 0), (1, 0, 0), (0, 0, 1)))
    scribbles = np.zeros((3, 4, 5), np.uint8)
    scribbles[0, 1, 2], scribbles[2, 3, 4] = 1, 2
    prompt = Prompt(
        "left  kidney",
        (Point((0.1, -0.2, 1 / 3)), Point((4, 5, 6), False)),
        (box,),
        Mask(scribbles, TURNED),
        box,
    )
    found = travel(packing.pack_prompt, packing.unpack_prompt, prompt)
    assert (found.text, found.points, found.boxes, found.region) == (
        "left kidney", prompt.points, (box,), box,
    )  # fmt: skip
    assert np.array_equal(found.scribbles.array, scribbles)
    assert found.scribbles.geometry == TURNED
    empty = travel(packing.pack_prompt, packing.unpack_prompt, Prompt())
    assert empty.is_empty
    assert empty.region is None


def test_proposals_travel_as_evidence_and_are_interpolated_there():
    coarse = Geometry((2, 3, 4), (2.0, 2.0, 2.0))
    fine = coarse.with_spacing(1.0)
    values = np.random.default_rng(0).uniform(0, 1, (2, 2, 3, 4)).astype(np.float16)
    proposal = Proposal(
        Image(values, coarse),
        LABELS,
        PresenceVerdict(Verdict.UNCERTAIN, 0.4, "Perhaps."),
        Provenance("m", "m/n", parameters={"samples": 3, "x": [1, 2]}, created="2020"),
        Image(values[:1], coarse),
        (Candidate(Mask(np.full(fine.shape_kji, 3, np.uint8), fine, LABELS), 1 / 3, "Teil ½"),),
        {"healthy": Image(values[:1], coarse)},
        fine,
    )
    arrays = []
    header = json.loads(json.dumps(packing.pack_proposal(proposal, arrays)))
    assert sum(array.size for array in arrays) == values.size * 2 + fine.voxel_count
    found = packing.unpack_proposal(header, arrays)
    assert np.array_equal(found.probability.array, proposal.probability.array)
    assert np.array_equal(found.uncertainty.array, proposal.uncertainty.array)
    assert np.array_equal(found.mask(0.3).array, proposal.mask(0.3).array)
    assert (found.verdict, found.provenance, found.labels) == (
        proposal.verdict, proposal.provenance, LABELS,
    )  # fmt: skip
    (candidate,) = found.alternatives
    assert (candidate.score, candidate.title) == (1 / 3, "Teil ½")
    assert candidate.mask.labels == LABELS
    assert (candidate.mask.array == 3).all()
    header["alternatives"][0]["score"] = 1.5
    with pytest.raises(InputError, match="score of a candidate"):
        packing.unpack_proposal(header, arrays)
    assert np.array_equal(found.auxiliary["healthy"].array, values[:1])


def test_what_is_missing_or_foreign_is_one_sentence():
    words = r"image cannot be read .KeyError: 'path'.*same version"
    with pytest.raises(WorkerError, match=words), packing.readable("image"):
        packing.unpack_image({}, [])
    with pytest.raises(WorkerError, match="IndexError"), packing.readable("image"):
        good = packing.pack_image(Image.from_array(np.ones((2, 3))), [])
        packing.unpack_image(good, [])
    with pytest.raises(InputError, match="must be"), packing.readable("image"):
        arrays = []
        good = packing.pack_image(Image.from_array(np.ones((2, 3))), arrays)
        packing.unpack_image(good, [arrays[0][..., :1]])
    with pytest.raises(GeometryError), packing.readable("image"):
        good["geometry"]["spacing_mm"] = [0, 1, 1]
        packing.unpack_image(good, arrays)
