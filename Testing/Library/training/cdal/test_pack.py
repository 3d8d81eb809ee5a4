import pytest
import torch

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.training.cdal.pack import Pack, PackedCase, read_pack, write_pack
from Testing.Library.training.cdal.tiny_task import disc_pack


def test_a_pack_comes_back(tmp_path):
    pack = disc_pack()
    write_pack(tmp_path / "new" / "data.safetensors", pack.parts)
    found = read_pack(tmp_path / "new" / "data.safetensors")
    assert list(found.parts) == list(pack.parts)
    for part, cases in pack.parts.items():
        for ours, theirs in zip(cases, found.part(part), strict=True):
            assert ours.name == theirs.name
            assert torch.equal(ours.image, theirs.image)
            assert torch.equal(ours.label, theirs.label)


def test_only_the_wanted_parts_are_read(tmp_path):
    write_pack(tmp_path / "data.safetensors", disc_pack().parts)
    found = read_pack(tmp_path / "data.safetensors", ["validation"])
    assert list(found.parts) == ["validation"]
    assert found.part("train") == ()


def test_images_are_stored_as_halves(tmp_path):
    pack = disc_pack()
    case = pack.part("train")[0]
    wide = {"train": [PackedCase(case.name, case.image.double(), case.label.long())]}
    write_pack(tmp_path / "data.safetensors", wide)
    case = read_pack(tmp_path / "data.safetensors").part("train")[0]
    assert (case.image.dtype, case.label.dtype) == (torch.float16, torch.uint8)


def test_a_missing_pack_is_a_sentence(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_pack(tmp_path / "data.safetensors")
    assert Pack({}).part("train") == ()
