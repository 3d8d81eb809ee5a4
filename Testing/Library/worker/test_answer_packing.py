import json

import numpy as np
import pytest

from DiffusionSegLib.errors import OutOfMemoryError, WorkerError
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.worker.answer_packing import pack_answer, unpack_answer
from DiffusionSegLib.worker.answers import DeviceReport, Estimate, Hello, MemoryReport, Preview
from DiffusionSegLib.worker.catalogue import catalogue
from DiffusionSegLib.worker.frames import Frame


def travel(answer):
    frame = pack_answer(3, answer)
    assert frame.header["id"] == 3
    return unpack_answer(Frame(json.loads(json.dumps(frame.header)), frame.arrays))


@pytest.mark.parametrize(
    "answer",
    [
        None,
        Hello(1, {"numpy": "2"}, "/bin/python", (DeviceReport("cpu", "P", True, "", 9, None),), 7,
              "2.1", None),
        Estimate(None, None, "This method does not tell."),
        Estimate(1.25, 10**12, "About."),
        MemoryReport(5, None, ("a", "b")),
        catalogue(),
    ],
    ids=["nothing", "hello", "unknown", "estimate", "memory", "catalogue"],
)  # fmt: skip
def test_answers_arrive_the_same(answer):
    assert travel(answer) == answer


def test_the_catalogue_is_not_empty():
    found = travel(catalogue())
    assert [method.name for method in found.methods if method.name == "cdal"]
    assert all(model.labels and model.inputs and model.limits for model in found.models)


def test_previews_arrive_with_their_place():
    image = Image.from_array(np.ones((2, 3, 4), np.float16), spacing_mm=(1, 2, 3))
    found = travel(Preview(image))
    assert found.probability.geometry == image.geometry
    assert np.array_equal(found.probability.array, image.array)


@pytest.mark.parametrize(
    "header", [{}, {"type": "Poem", "value": {}}, {"type": "Hello", "value": 3}]
)
def test_unknown_answers_are_one_sentence(header):
    with pytest.raises(WorkerError, match="worker's answer cannot be read"):
        unpack_answer(Frame({"kind": "answer", "id": 1, **header}))


def test_an_answer_without_room_is_that_error():
    with pytest.raises(OutOfMemoryError, match="full"):
        unpack_answer(Frame({"kind": "answer"}, (), OutOfMemoryError("full")))
