"""For all tests: one thread, so that small networks are fast beside other work and repeatable."""

import gc
import os
from collections.abc import Generator

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
# What runs take on this computer is not learned from tests.
os.environ.setdefault("DIFFUSIONSEG_RATES", "")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What was collected lives until the end: Python need not go through it again and again.

    Looking for garbage among thousands of tests takes half a second each time, and the way to
    an economical run does so after every lack of memory.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        _keep_what_there_is()
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, object, object]:
    """Nor through the packages that a file's tests have imported."""
    try:
        return (yield)
    finally:
        if nextitem is None or nextitem.path != item.path:
            _keep_what_there_is()


def _keep_what_there_is() -> None:
    gc.collect()
    gc.freeze()
