import pytest
import torch

from DiffusionSegLib.backbones.checkpoints import read_checkpoint
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
