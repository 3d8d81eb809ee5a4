import os

import pytest
import torch

from DiffusionSegLib.errors import ModelError, OutputError
from DiffusionSegLib.training.checkpoint import load_checkpoint, save_checkpoint


def test_a_checkpoint_comes_back(tmp_path):
    path = tmp_path / "checkpoint.pt"
    assert load_checkpoint(path) is None
    state = {
        "weights": {"a": torch.arange(5.0)},
        "step": 7,
        "best": None,
        "rng": torch.get_rng_state(),
    }
    save_checkpoint(state, path)
    found = load_checkpoint(path)
    assert found["step"] == 7
    assert found["best"] is None
    assert torch.equal(found["weights"]["a"], state["weights"]["a"])
    assert torch.equal(found["rng"], state["rng"])
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("size", [0, 10, 300])
def test_a_partial_file_of_a_killed_run_is_ignored_and_replaced(tmp_path, size):
    path = tmp_path / "checkpoint.pt"
    save_checkpoint({"step": 1}, path)
    (tmp_path / "checkpoint.partial").write_bytes(path.read_bytes()[:size])
    assert load_checkpoint(path) == {"step": 1}
    save_checkpoint({"step": 2}, path)
    assert load_checkpoint(path) == {"step": 2}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"not a checkpoint at all"])
def test_a_damaged_checkpoint_is_a_sentence(tmp_path, content):
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="is damaged"):
        load_checkpoint(path)


class Trap:
    def __reduce__(self):
        return os.mkdir, ("was-run",)


def test_code_in_a_checkpoint_is_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"step": Trap()}, tmp_path / "checkpoint.pt")
    with pytest.raises(ModelError):
        load_checkpoint(tmp_path / "checkpoint.pt")
    assert not (tmp_path / "was-run").exists()


def test_a_folder_that_is_gone_is_a_sentence(tmp_path):
    with pytest.raises(OutputError, match="could not be written"):
        save_checkpoint({"step": 1}, tmp_path / "gone" / "checkpoint.pt")


def test_the_old_checkpoint_survives_a_failed_write(tmp_path):
    path = tmp_path / "checkpoint.pt"
    save_checkpoint({"step": 1}, path)
    with pytest.raises(Exception, match="pickle"):
        save_checkpoint({"step": lambda: None}, path)
    assert load_checkpoint(path) == {"step": 1}
