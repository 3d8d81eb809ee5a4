import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors import safe_open
from safetensors.torch import save_file

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.training.backbone.pack import Pack, Picture, read_pack, write_pack
from Testing.Library.training.backbone.tiny import tiny_pack

SHAPES = st.tuples(st.sampled_from([1, 3]), st.integers(1, 9), st.integers(1, 9))


def test_everything_comes_back(tmp_path):
    pack, file = tiny_pack(), tmp_path / "deep" / "data.safetensors"
    write_pack(file, pack)
    found = read_pack(file)
    assert (found.captions, found.weights, found.split) == (pack.captions, pack.weights, pack.split)
    assert torch.equal(found.text, pack.text)
    for one, other in zip(found.pictures, pack.pictures, strict=True):
        assert torch.equal(one.pixels, other.pixels)
        assert (one.source, one.case, one.part, one.captions) == (
            other.source,
            other.case,
            other.part,
            other.captions,
        )
    assert [p.case for p in found.part("validation")] == [
        "disks/validation-0",
        "stripes/validation-0",
        "disks/validation-1",
        "stripes/validation-1",
    ]
    assert list(file.parent.iterdir()) == [file]


@given(pixels=hnp.arrays(np.uint8, SHAPES))
def test_any_pixels_come_back(tmp_path_factory, pixels):
    file = tmp_path_factory.mktemp("pack") / "data.safetensors"
    picture = Picture("any", "any/one", "train", torch.from_numpy(pixels), (0,))
    write_pack(file, Pack((picture,), ("",), torch.zeros(1, 2, 3), {"any": 1.0}, {}))
    assert np.array_equal(read_pack(file).pictures[0].pixels.numpy(), pixels)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nothing\.safetensors does not exist"):
        read_pack(tmp_path / "nothing.safetensors")


@pytest.mark.parametrize("damage", ["cut", "no index", "bytes", "captions", "shape"])
def test_a_damaged_file_is_one_sentence(tmp_path, damage):
    file = tmp_path / "data.safetensors"
    write_pack(file, tiny_pack())
    spoil(file, damage)
    with pytest.raises(InputError, match=r"are damaged .* delete them to pack again"):
        read_pack(file)


def spoil(file, damage):
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-100])
        return
    with safe_open(file, "pt") as store:
        index = json.loads(store.metadata()["index"])
        tensors = {name: store.get_tensor(name).clone() for name in store.keys()}  # noqa: SIM118
    if damage == "bytes":
        tensors["pictures"][10:40] = 255
    elif damage == "captions":
        index["captions"].append("one too many")
    elif damage == "shape":
        index["pictures"][0]["shape"] = [1, 3, 3]
    metadata = {} if damage == "no index" else {"index": json.dumps(index)}
    save_file(tensors, file, metadata=metadata)
