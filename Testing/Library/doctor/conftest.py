import pytest

from DiffusionSegLib.doctor.examined import Examined
from DiffusionSegLib.worker.command import default_command


@pytest.fixture
def examined():
    """Nothing has been looked at yet; no worker may be started."""
    return Examined(default_command(), False, {})


@pytest.fixture
def own_models(tmp_path, monkeypatch):
    """An empty folder of models of the user's."""
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(folder))
    return folder
