"""Parent transforms as one matrix."""

from typing import Any

import numpy as np
import pytest

from DiffusionSegBridge.transforms import arrayFromMatrix, matrixFromArray, worldMatrix
from DiffusionSegLib.errors import GeometryError
from Testing.Slicer.Bridge.made import TRANSFORMS, bend, transform, volume

pytestmark = pytest.mark.slicer


def test_a_matrix_there_and_back(scene: Any) -> None:
    array = np.arange(16.0).reshape(4, 4)
    assert np.array_equal(arrayFromMatrix(matrixFromArray(array)), array)


def test_the_chain_is_multiplied_from_the_outside(scene: Any) -> None:
    outer = transform(scene, "rigid")
    node = volume(scene, parent=transform(scene, "sheared", outer))
    first, second = TRANSFORMS["rigid"], TRANSFORMS["sheared"]
    assert first is not None and second is not None
    assert worldMatrix(node) == pytest.approx(first @ second)
    assert np.array_equal(worldMatrix(volume(scene)), np.eye(4))


def test_a_bend_anywhere_in_the_chain_is_refused(scene: Any) -> None:
    inner = transform(scene, "rigid", bend(scene))
    with pytest.raises(GeometryError, match="'Head' is under the non-linear transform"):
        worldMatrix(volume(scene, parent=inner))
