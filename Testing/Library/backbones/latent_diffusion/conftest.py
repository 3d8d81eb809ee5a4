from pathlib import Path

import pytest

from Testing.Library.backbones.latent_diffusion.tiny import save_pipeline


@pytest.fixture(scope="session")
def pipeline_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole pipeline; tests that break one copy it first."""
    return save_pipeline(tmp_path_factory.mktemp("tiny pipeline"))
