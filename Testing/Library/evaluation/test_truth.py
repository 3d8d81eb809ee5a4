"""The known outline as it is read for a comparison."""

import numpy as np
import pytest

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.evaluation.truth import read_truth
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask

GEOMETRY = Geometry((4, 10, 10))
IMAGE = Image(np.zeros((1, 4, 10, 10), np.int16), GEOMETRY)


@pytest.mark.parametrize(("values", "is_outline"), [(2, True), (130, True), (200, False)])
def test_an_image_in_place_of_an_outline_is_told(tmp_path, values, is_outline):
    array = (np.arange(400) % values).reshape(GEOMETRY.shape_kji).astype(np.uint8)
    file = tmp_path / "given.nii.gz"
    Mask.from_array(array, GEOMETRY).write(file)
    if is_outline:
        assert np.array_equal(read_truth(file, IMAGE).mask.array, array)
        return
    with pytest.raises(InputError, match=r"given.nii.gz holds 200 different values, as an image"):
        read_truth(file, IMAGE)
