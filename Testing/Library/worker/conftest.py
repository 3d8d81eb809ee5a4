import pytest

from DiffusionSegLib import methods
from DiffusionSegLib.worker.client import WorkerClient
from DiffusionSegLib.worker.inprocess import InProcessClient
from Testing.Library.worker.toy_worker import TOY_METHODS
from Testing.Library.worker.toys import (
    COMMAND,
    children,
    environment,
    is_alive,
    wait_until,
    write_bright,
)


@pytest.fixture(scope="session")
def bright_models(tmp_path_factory):
    return write_bright(tmp_path_factory.mktemp("worker_models"))


@pytest.fixture
def start(bright_models):
    """Makes clients of the toy worker; all their processes must be gone at the end."""
    clients, before = [], children()

    def make(command=COMMAND, **options):
        client = WorkerClient(command, environment(bright_models), **options)
        clients.append(client)
        return client

    yield make
    started = children() - before
    for client in clients:
        client.close()
    wait_until(lambda: not any(is_alive(pid) for pid in started | (children() - before)))


@pytest.fixture
def toy_here(bright_models, monkeypatch):
    """The toy method within this process."""
    monkeypatch.setattr(methods, "__path__", [*methods.__path__, TOY_METHODS])
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(bright_models))


@pytest.fixture(scope="module")
def warm(bright_models):
    """One worker process for a module's tests, because starting one takes most of a second."""
    client = WorkerClient(COMMAND, environment(bright_models))
    yield client
    client.close()


@pytest.fixture(params=["process", "thread"])
def client(request, toy_here):
    """A client of each kind; what a test left running is cancelled."""
    if request.param == "process":
        warm = request.getfixturevalue("warm")
        restarts = warm.restarts
        yield warm
        for open_request in list(warm._open.values()):
            warm.cancel(open_request.ticket)
        assert warm.restarts == restarts
        return
    client = InProcessClient()
    yield client
    client.close()


@pytest.fixture(params=["process", "thread"])
def fresh(request, toy_here, start):
    """As `client`, but new."""
    if request.param == "process":
        yield start()
        return
    client = InProcessClient()
    yield client
    client.close()
