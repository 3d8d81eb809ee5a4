import pytest

from Testing.Library.backbones.fetching.bad_server import BadServer


@pytest.fixture
def server():
    one = BadServer()
    yield one
    one.close()


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """Models of the tests only; no settings of this computer."""
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(tmp_path / "models"))
    for name in ("DIFFUSIONSEG_MIRROR", "DIFFUSIONSEG_TOKENS", "HF_TOKEN", "HF_ENDPOINT",
                 "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY",
                 "all_proxy"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hf-cache"))
    return tmp_path / "models"
