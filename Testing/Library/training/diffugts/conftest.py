import pytest
import torch

from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.diffugts.prepared import prepare
from Testing.Library.training.diffugts.tiny import tiny_backbone, tiny_pack, tiny_settings


@pytest.fixture(autouse=True)
def one_thread():
    """Sums in another order are other numbers; child processes use one thread, too."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def backbone(tmp_path_factory):
    return tiny_backbone(tmp_path_factory.mktemp("backbone") / "tiny")


@pytest.fixture(scope="session")
def pack():
    return tiny_pack()


@pytest.fixture(scope="session")
def prepared_folder(tmp_path_factory, backbone, pack):
    folder = tmp_path_factory.mktemp("prepared") / "prepared"
    prepare(pack, tiny_settings(), backbone, folder, Progress.silent())
    return folder


@pytest.fixture(scope="session")
def prepared(backbone, pack, prepared_folder):
    return prepare(pack, tiny_settings(), backbone, prepared_folder, Progress.silent())
