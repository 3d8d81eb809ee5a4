import json
import pickle
import struct
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from DiffusionSegLib.backbones.store import file_sha256
from DiffusionSegLib.backbones.weights import load_weights, read_safetensors
from DiffusionSegLib.errors import ModelError
from Testing.Library.toy_model import write_card, write_toy


class Trap:
    """Unpickling this creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def renew(entry):
    """A card whose size and sha256 are those of the file that is there now."""
    file = entry.folder / "weights.safetensors"
    card = json.loads((entry.folder / "model.json").read_text("utf-8"))
    card["files"][0] |= {"size": file.stat().st_size, "sha256": file_sha256(file)}
    return write_card(entry.folder, card)


def test_half_floats_come_back_bit_for_bit(tmp_path):
    entry = write_toy(tmp_path, "gray")
    tensors = load_weights(entry)
    assert tensors["out.weight"].dtype == torch.float16
    assert set(tensors) == set(read_safetensors(entry.folder / "weights.safetensors"))
    with pytest.raises(ModelError, match="lists no file 'more'"):
        load_weights(entry, "more")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("listed", [True, False], ids=["sha256 fits", "sha256 differs"])
def test_a_pickle_is_never_executed(tmp_path, protocol, listed):
    entry = write_toy(tmp_path, "gray")
    sprung = tmp_path / "sprung"
    (entry.folder / "weights.safetensors").write_bytes(pickle.dumps(Trap(sprung), protocol))
    with pytest.raises(ModelError) as refusal:
        load_weights(renew(entry) if listed else entry)
    assert not sprung.exists()
    if protocol >= 2:  # earlier ones have no signature and are called damaged
        assert "is a pickle, which can run code" in str(refusal.value)
        assert "diffusionseg convert" in str(refusal.value)
    pickle.loads(pickle.dumps(Trap(sprung), protocol)).close()
    assert sprung.exists()  # the trap works


def test_a_torch_checkpoint_is_never_executed(tmp_path):
    entry = write_toy(tmp_path, "gray")
    sprung = tmp_path / "sprung"
    torch.save({"weights": Trap(sprung)}, entry.folder / "weights.safetensors")
    with pytest.raises(ModelError, match="is a pickle"):
        load_weights(renew(entry))
    assert not sprung.exists()


def test_damaged_files_are_sentences(tmp_path):
    entry = write_toy(tmp_path, "gray")
    file = entry.folder / "weights.safetensors"
    whole = file.read_bytes()
    for content, word in (
        (whole[:-7], "cut off"),
        (whole[:-1] + bytes([whole[-1] ^ 1]), "sha256"),
        (b"", "cut off"),
        (whole + b"x", "bytes instead of"),
    ):
        file.write_bytes(content)
        with pytest.raises(ModelError, match=word):
            load_weights(entry)
    file.unlink()
    with pytest.raises(ModelError, match="are missing; install them again"):
        load_weights(entry)


@settings(max_examples=60)
@given(content=st.binary(max_size=200) | st.binary(max_size=64).map(lambda b: b"\x80\x04" + b))
def test_no_bytes_are_taken_for_weights(tmp_path_factory, content):
    file = tmp_path_factory.mktemp("junk") / "weights.safetensors"
    file.write_bytes(content)
    with pytest.raises(ModelError, match=r"weights\.safetensors"):
        read_safetensors(file)


def test_the_length_of_a_header_is_not_taken_for_a_pickle(tmp_path):
    """Every 32nd header has a length that starts with the byte that pickles start with."""
    file, firsts = tmp_path / "weights.safetensors", set()
    for size in range(0, 260, 4):
        save_file({"a": torch.arange(3)}, str(file), metadata={"note": "x" * size})
        firsts.add(file.read_bytes()[0])
        assert read_safetensors(file)["a"].tolist() == [0, 1, 2]
    assert 0x80 in firsts


def test_a_pickle_may_not_hide_behind_a_brace(tmp_path):
    file = tmp_path / "weights.safetensors"
    file.write_bytes(struct.pack("<Q", 0x950480) + b"{" + pickle.dumps([1]))
    with pytest.raises(ModelError, match="is a pickle"):
        read_safetensors(file)
