import gc
import os
import threading
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from DiffusionSegLib.io.itk import grid_of, quiet_itk, shared_array


def test_shared_voxels_outlive_the_image() -> None:
    image = sitk.GetImageFromArray(np.arange(24, dtype=np.int16).reshape(2, 3, 4))
    array = shared_array(image)
    view = sitk.GetArrayViewFromImage(image)
    assert array.__array_interface__["data"][0] == view.__array_interface__["data"][0]
    del image, view
    gc.collect()
    assert array.ravel().tolist() == list(range(24))
    array[0, 0, 0] = 7


def test_the_error_stream_is_silent_only_inside(capfd: pytest.CaptureFixture[str]) -> None:
    os.write(2, b"before ")
    with quiet_itk(), quiet_itk():
        os.write(2, b"inside ")
    with pytest.raises(RuntimeError), quiet_itk():
        raise RuntimeError
    os.write(2, b"after")
    assert capfd.readouterr().err == "before after"


def test_many_threads_leave_the_error_stream_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    def work() -> None:
        for _ in range(50):
            with quiet_itk():
                os.write(2, b"noise")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"


def test_itks_own_warnings_are_silenced_and_its_settings_kept(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.mha"
    sitk.WriteImage(sitk.GetImageFromArray(np.random.default_rng(0).random((9, 9, 9))), str(path))
    path.write_bytes(path.read_bytes()[:-500])
    before = sitk.ProcessObject.GetGlobalWarningDisplay()
    with pytest.raises(RuntimeError), quiet_itk():
        sitk.ReadImage(str(path))
    assert capfd.readouterr().err == ""
    assert sitk.ProcessObject.GetGlobalWarningDisplay() == before


def test_a_flat_image_is_one_slice() -> None:
    image = sitk.Image([4, 3], sitk.sitkUInt8)
    image.SetSpacing((2.0, 3.0))
    image.SetOrigin((5.0, 6.0))
    geometry = grid_of(image)
    assert geometry.shape_kji == (1, 3, 4)
    assert geometry.spacing_mm == (2.0, 3.0, 1.0)
    assert geometry.origin_lps == (5.0, 6.0, 0.0)
