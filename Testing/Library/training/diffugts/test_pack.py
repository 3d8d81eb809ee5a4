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
from DiffusionSegLib.training.diffugts.pack import Pack, Picture, read_pack, write_pack
from Testing.Library.training.diffugts.tiny import tiny_pack

SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9))


def test_everything_comes_back(tmp_path):
    pack, file = tiny_pack(), tmp_path / "deep" / "data.safetensors"
    write_pack(file, pack)
    found = read_pack(file)
    assert (found.texts, found.split) == (pack.texts, pack.split)
    assert torch.equal(found.text, pack.text)
    for one, other in zip(found.pictures, pack.pictures, strict=True):
        assert torch.equal(one.pixels, other.pixels) and torch.equal(one.mask, other.mask)
        assert one.texts == other.texts and one.healthy is other.healthy
        for name in ("kind", "tumor", "case", "patient", "part"):
            assert getattr(one, name) == getattr(other, name)
    assert list(file.parent.iterdir()) == [file]


def test_the_digest_tells_files_apart(tmp_path):
    pack = tiny_pack()
    digests = []
    for number, pictures in enumerate((pack.pictures, pack.pictures[:-1], pack.pictures)):
        file = tmp_path / f"{number}.safetensors"
        write_pack(file, Pack(pictures, pack.texts, pack.text, pack.split))
        digests.append(read_pack(file).digest)
    assert digests[0] == digests[2] != digests[1]


@given(pixels=hnp.arrays(np.uint8, SHAPES), seed=st.integers(0, 99))
def test_any_pixels_come_back(tmp_path_factory, pixels, seed):
    file = tmp_path_factory.mktemp("pack") / "data.safetensors"
    mask = torch.rand(pixels.shape, generator=torch.Generator().manual_seed(seed)) > 0.5
    picture = Picture("a", "", "a/1", "1", "train", True, ((0, 0),), torch.from_numpy(pixels), mask)
    write_pack(file, Pack((picture,), ("x",), torch.zeros(1, 3), {}))
    found = read_pack(file).pictures[0]
    assert np.array_equal(found.pixels.numpy(), pixels) and torch.equal(found.mask, mask)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nothing\.safetensors does not exist"):
        read_pack(tmp_path / "nothing.safetensors")


@pytest.mark.parametrize("damage", ["cut", "no index", "bytes", "texts", "shape"])
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
    elif damage == "texts":
        index["texts"].append("one too many")
    elif damage == "shape":
        index["pictures"][0]["shape"] = [3, 3]
    metadata = {} if damage == "no index" else {"index": json.dumps(index)}
    save_file(tensors, file, metadata=metadata)
