import json

import pytest

from DiffusionSegLib import errors
from DiffusionSegLib.worker.failures import explained, pack_failure, unpack_failure
from DiffusionSegLib.worker.frames import FrameError


@pytest.mark.parametrize("name", [name for name in errors.__all__ if name[0].isupper()])
def test_every_class_of_the_family_survives_with_its_sentence(name):
    error = getattr(errors, name)("The seed is -1.")
    values = json.loads(json.dumps(pack_failure(4, error)))
    found = unpack_failure(values)
    assert (type(found), str(found), values["id"]) == (type(error), "The seed is -1.", 4)


def test_a_log_travels_along():
    found = unpack_failure(pack_failure(1, errors.WorkerError("Stopped.", "line 1\nline 2")))
    assert found.log == "line 1\nline 2"


def test_classes_that_are_not_known_here_become_worker_errors():
    for error in ({"error": "FancyError", "sentence": "Oh."}, {"error": "SystemExit"}, {}):
        assert type(unpack_failure(error)) is errors.WorkerError
    assert isinstance(unpack_failure(pack_failure(1, FrameError("Odd."))), errors.WorkerError)


def raised(error):
    try:
        raise error
    except BaseException as caught:  # noqa: BLE001
        return explained(caught)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (ValueError("a\nb"), errors.WorkerError, "mistake in the program .* (ValueError: a b)."),
        (ValueError("x" * 5000), errors.WorkerError, "xxx"),
        (MemoryError(), errors.OutOfMemoryError, "not enough memory"),
        (ModuleNotFoundError("No module named 'torch.x'", name="torch.x"), errors.WorkerError,
         "package torch is missing or broken .* -m pip install torch"),
        (ImportError("cannot import name"), errors.WorkerError, "mistake in the program"),
        (OSError("[WinError 126] Error loading C:\\torch\\lib\\c10.dll"), errors.WorkerError,
         "package torch is missing or broken"),
        (OSError("disk"), errors.WorkerError, "mistake in the program .*OSError: disk"),
        (KeyboardInterrupt(), errors.WorkerError, "KeyboardInterrupt"),
    ],
)  # fmt: skip
def test_other_exceptions_become_a_sentence_with_the_place_as_log(error, kind, words):
    found = raised(error)
    assert type(found) is kind
    import re

    assert re.search(words.replace("(", r"\(").replace(")", r"\)"), str(found))
    assert "\n" not in str(found)
    assert len(str(found)) < 500
    if kind is errors.WorkerError:
        assert "in raised" in found.log


def test_sentences_stay_as_they_are():
    error = errors.PromptError("Click inside.")
    assert raised(error) is error
