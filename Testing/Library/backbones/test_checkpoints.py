import numpy as np
import pytest
import torch

from DiffusionSegLib.backbones.checkpoints import read_checkpoint, read_trained_checkpoint
from DiffusionSegLib.errors import ModelError


def test_tensors_come_back_by_name(tmp_path):
    torch.save({"a": torch.arange(3), "b": torch.ones(2, 2)}, tmp_path / "a.pt")
    found = read_checkpoint(tmp_path / "a.pt")
    assert found["a"].tolist() == [0, 1, 2] and found["b"].shape == (2, 2)


@pytest.mark.parametrize("content", [[torch.ones(1)], {1: torch.ones(1)}, {"a": 5}, "text"])
def test_anything_else_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(ModelError, match="not a table of weights by name"):
        read_checkpoint(tmp_path / "a.pt")


@pytest.mark.parametrize("version", ["2.4.0", "2.5.1+cu121"])
def test_versions_that_can_be_made_to_run_code_open_nothing(tmp_path, monkeypatch, version):
    """CVE-2025-32434 was mended in 2.6."""
    torch.save({"a": torch.ones(1)}, tmp_path / "a.pt")
    monkeypatch.setattr(torch, "__version__", version)
    with pytest.raises(ModelError, match=r"Update PyTorch to 2\.6"):
        read_checkpoint(tmp_path / "a.pt")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"a\.pt does not exist"):
        read_checkpoint(tmp_path / "a.pt")


def test_a_training_runs_weights_come_with_its_numbers(tmp_path):
    content = {
        "net": {"a": torch.ones(2)}, "epoch": 3, "scale": torch.tensor(0.5), "done": True,
        "name": "x", "more": torch.ones(3),
    }  # fmt: skip
    torch.save(content, tmp_path / "a.pt")
    found = read_trained_checkpoint(tmp_path / "a.pt", "net")
    assert list(found.weights) == ["a"] and found.numbers == {"epoch": 3.0, "scale": 0.5}


def test_a_flat_table_may_carry_a_number(tmp_path):
    torch.save({"a": torch.ones(2), "scale": torch.tensor(0.5)}, tmp_path / "a.pt")
    found = read_trained_checkpoint(tmp_path / "a.pt", "net")
    assert list(found.weights) == ["a"] and found.numbers == {"scale": 0.5}


@pytest.mark.parametrize("content", [{"net": 5}, {"net": {}}, {"net": {"a": "b"}}, [1], {"a": "b"}])
def test_what_has_no_weights_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(ModelError, match="not a table of weights by name"):
        read_trained_checkpoint(tmp_path / "a.pt", "net")


def test_arrays_beside_the_weights_are_read_and_left(tmp_path):
    torch.save({"net": {"a": torch.ones(2)}, "affine": np.eye(4)}, tmp_path / "a.pt")
    assert read_trained_checkpoint(tmp_path / "a.pt", "net").numbers == {}
    before = set(torch.serialization.get_safe_globals())
    read_trained_checkpoint(tmp_path / "a.pt", "net")
    assert set(torch.serialization.get_safe_globals()) == before  # nothing stays allowed


class Evil:
    def __reduce__(self):
        return (print, ("run",))


def test_code_beside_the_weights_is_refused(tmp_path, capsys):
    torch.save({"net": {"a": torch.ones(2)}, "extra": Evil()}, tmp_path / "a.pt")
    with pytest.raises(ModelError, match="nothing in it was run"):
        read_trained_checkpoint(tmp_path / "a.pt", "net")
    odd = np.array([Evil()], dtype=object)
    torch.save({"net": {"a": torch.ones(2)}, "extra": odd}, tmp_path / "a.pt")
    with pytest.raises(ModelError):
        read_trained_checkpoint(tmp_path / "a.pt", "net")
    assert capsys.readouterr().out == ""
