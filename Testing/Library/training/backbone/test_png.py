import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from DiffusionSegLib.training.backbone.png import png_bytes


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))))
def test_another_program_reads_the_same_pixels(pixels):
    with Image.open(io.BytesIO(png_bytes(pixels))) as picture:
        picture.verify()
    with Image.open(io.BytesIO(png_bytes(pixels))) as picture:
        assert picture.mode == "RGB"
        assert np.array_equal(np.asarray(picture), pixels)
