"""pip's way out is blocked in different manners; torch's index may be out of reach."""

import os
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from DiffusionSegLib.environments import installing
from DiffusionSegLib.environments.building import build, plan_environment
from DiffusionSegLib.environments.driver import NvidiaDriver
from DiffusionSegLib.environments.torch_builds import PINNED
from DiffusionSegLib.errors import InputError, OutputError
from DiffusionSegLib.progress import Progress
from Testing.Library.environments.toy_wheels import (
    GOOD_TORCH,
    VERSIONS,
    base_python,
    write_wheel,
    write_wheels,
)


@pytest.fixture
def nowhere(monkeypatch):
    """No index answers, as without a network; this computer's own settings of pip do not count."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    for name in list(os.environ):
        if name.startswith("PIP_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "1")  # without any, pip does not say what failed
    monkeypatch.setenv("PIP_INDEX_URL", f"{address}/simple")
    monkeypatch.setenv("DIFFUSIONSEG_TORCH_INDEX", f"{address}/whl")
    return address


@pytest.fixture
def proxy():
    """One that asks for a login."""

    class Guard(BaseHTTPRequestHandler):
        def do_CONNECT(self):
            self.send_error(407, "Proxy Authentication Required")

        do_GET = do_CONNECT

        def log_message(self, *words):
            pass

    server = HTTPServer(("127.0.0.1", 0), Guard)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def made(environment):
    build(environment, plan_environment(environment, interpreter=base_python()), Progress.silent())


def test_no_network_is_a_sentence(begun, nowhere):
    with pytest.raises(InputError, match=r"network does not reach.*torch could not be fetched"):
        made(begun)
    assert begun.state == "incomplete"


def test_a_proxy_that_asks_for_a_login_is_a_sentence(begun, nowhere, proxy, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    monkeypatch.setenv("PIP_INDEX_URL", "https://pypi.invalid/simple")
    monkeypatch.setenv("DIFFUSIONSEG_TORCH_INDEX", "https://torch.invalid/whl")
    with pytest.raises(InputError, match=r"proxy of this network asks for a login"):
        made(begun)


def test_pypi_s_torch_is_taken_where_torch_s_index_is_out_of_reach(
    begun, nowhere, tmp_path, monkeypatch
):
    """As behind a mirror of PyPI alone: a folder that the user's settings name stands for it."""
    folder = write_wheels(tmp_path / "mirror")
    (torch,) = folder.glob("torch-*.whl")
    torch.unlink()
    write_wheel(folder, "torch", PINNED, {"torch/__init__.py": GOOD_TORCH})
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    made(begun)
    assert begun.state == "ready"
    assert begun.marker.packages["torch"] == PINNED and begun.marker.source == "network"


def test_pypi_s_larger_torch_needs_room(begun, nowhere, tmp_path, monkeypatch):
    write_wheel(tmp_path / "mirror", "torch", PINNED, {"torch/__init__.py": GOOD_TORCH})
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "mirror"))
    monkeypatch.setattr(installing, "free_bytes", lambda folder: 600_000_000)
    with pytest.raises(OutputError, match=r"torch of PyPI needs .* of which 600\.0 MB are free"):
        made(begun)


def test_a_build_for_cuda_that_only_torch_s_index_has_is_a_sentence(
    begun, nowhere, tmp_path, monkeypatch
):
    folder = tmp_path / "mirror"
    write_wheel(folder, "torch", PINNED, {"torch/__init__.py": GOOD_TORCH})
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    card = NvidiaDriver("550.54.14", ("a card",), "12.4", ("8.6",))
    plan = plan_environment(begun, driver=card, interpreter=base_python())
    assert plan.torch_build == "cu126" and "CUDA 12.6" in plan.words[2]
    with pytest.raises(InputError, match=rf"torch=={PINNED}\+cu126 for .*{nowhere}/whl/cu126"):
        build(begun, plan, Progress.silent())


def test_the_build_for_the_processor_is_preferred(begun, nowhere, tmp_path, monkeypatch):
    folder = write_wheels(tmp_path / "mirror")
    write_wheel(folder, "torch", PINNED, {"torch/__init__.py": "raise ImportError('large')"})
    write_wheel(folder, "torch", "2.99", {"torch/__init__.py": "raise ImportError('new')"})
    write_wheel(folder, "scipy", "9.9", {})
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    made(begun)
    packages = begun.marker.packages
    assert packages["torch"] == VERSIONS["torch"]
    assert packages["scipy"] == VERSIONS["scipy"], "the tested version, not the newest"


def test_a_package_that_lacks_for_this_python_is_named(begun, nowhere, tmp_path, monkeypatch):
    folder = write_wheels(tmp_path / "mirror", without=("scipy",))
    write_wheel(folder, "scipy", "1.2.0", {})
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(InputError, match=r"There is no package scipy>=1\.11 for Python 3\."):
        made(begun)
    assert begun.state == "incomplete"
