import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.errors import GeometryError
from DiffusionSegLib.nouns.geometry import Geometry, as_direction
from Testing.Library.geometries import KIND_NAMES, KINDS, SHEARED, geometries, grid

POINTS_KJI = np.array([[0, 0, 0], [4, 6, 8], [1.25, 3.5, 2.0]])


@pytest.mark.parametrize("kind", KINDS, ids=KIND_NAMES)
def test_positions_agree_with_itk_and_go_there_and_back(kind: dict[str, bool]) -> None:
    geometry = grid(**kind)
    image = sitk.Image([*reversed(geometry.shape_kji)], sitk.sitkUInt8)
    image.SetSpacing(geometry.spacing_mm)
    image.SetOrigin(geometry.origin_lps)
    image.SetDirection(np.ravel(geometry.direction).tolist())
    ras = geometry.kji_to_ras(POINTS_KJI)
    for kji, position in zip(POINTS_KJI, ras, strict=True):
        lps = image.TransformContinuousIndexToPhysicalPoint(kji[::-1].tolist())
        assert position == pytest.approx([-lps[0], -lps[1], lps[2]], abs=1e-12)
    assert geometry.ras_to_kji(ras) == pytest.approx(POINTS_KJI, abs=1e-12)
    assert geometry.is_right_handed is not kind["left_handed"]


@pytest.mark.parametrize("kind", KINDS, ids=KIND_NAMES)
def test_crop_and_regrid_keep_world_positions(kind: dict[str, bool]) -> None:
    geometry = grid(**kind)
    crop = geometry.crop((slice(1, 4), slice(-5, None), slice(2, 9)))
    assert crop.shape_kji == (3, 5, 7)
    assert crop.kji_to_ras([[1, 1, 1]]) == pytest.approx(geometry.kji_to_ras([[2, 3, 3]]))
    finer = geometry.with_shape((10, 14, 18))
    assert finer.corners_ras() == pytest.approx(geometry.corners_ras(), abs=1e-9)
    spaced = geometry.with_spacing((0.5, 0.5, 0.5))
    assert spaced.spacing_mm == (0.5, 0.5, 0.5)
    assert spaced.corners_ras()[0] == pytest.approx(geometry.corners_ras()[0], abs=1e-9)
    assert geometry.contains_ras(spaced.kji_to_ras([[0, 0, 0]])).all()


def test_with_spacing_covers_the_whole_extent_and_keeps_single_slices() -> None:
    assert grid((4, 4, 5)).with_spacing(1.9).shape_kji == (3, 3, 3)
    assert grid((4, 4, 4)).with_spacing(1.0 + 1e-9).shape_kji == (4, 4, 4)
    flat = Geometry((1, 8, 8), (1.0, 1.0, 5.0)).with_spacing(2.0)
    assert (flat.shape_kji, flat.spacing_mm) == ((1, 4, 4), (2.0, 2.0, 5.0))


def test_axes_are_the_columns_of_direction() -> None:
    turned = Geometry((2, 2, 2), (2.0, 3.0, 4.0), direction=((0, 0, 1), (1, 0, 0), (0, 1, 0)))
    assert turned.ijk_to_lps[:3, 0] == pytest.approx([0, 2, 0])
    assert turned.ijk_to_ras[:3, 0] == pytest.approx([0, -2, 0])
    assert turned.voxel_volume_mm3 == pytest.approx(24.0)


def test_a_sheared_voxel_has_the_volume_of_its_parallelepiped() -> None:
    assert SHEARED.voxel_volume_mm3 == pytest.approx(0.7 * 0.9 * 2.5 * 0.9701425001453319)
    again = Geometry.from_ijk_to_ras(SHEARED.shape_kji, SHEARED.ijk_to_ras)
    assert again.is_close(SHEARED, 1e-9)


def test_contains_counts_whole_voxels() -> None:
    geometry = Geometry((2, 3, 4))
    edges = geometry.kji_to_ras([[-0.5, 0, 0], [1.5, 2.5, 3.5], [-0.51, 0, 0], [0, 0, 3.6]])
    assert geometry.contains_ras(edges).tolist() == [True, True, False, False]
    assert geometry.extent_ras_mm() == ((-3.5, -2.5, -0.5), (0.5, 0.5, 1.5))


def test_is_close_sees_shape_and_shift() -> None:
    geometry = grid(oblique=True)
    moved = Geometry(
        geometry.shape_kji, origin_lps=(11.6, -23.25, 31.0), direction=geometry.direction
    )
    assert geometry.is_close(geometry)
    assert not geometry.is_close(moved)
    assert geometry.is_close(moved, 0.2)
    assert not geometry.is_close(grid((5, 7, 8), oblique=True))


def test_a_spacing_that_is_wrong_by_far_is_told_instead_of_filling_the_memory() -> None:
    huge = Geometry((40, 50, 60), (1000.0, 1000.0, 1000.0))
    with pytest.raises(
        GeometryError, match=r"\(1000, 1000, 1000\) mm.* 1\.2e\+14 voxels of \(1, 1"
    ):
        huge.with_spacing(1.0)
    assert huge.with_spacing(50.0).shape_kji == (800, 1000, 1200)


@pytest.mark.parametrize("spacing", [(0, 1, 1), (1, -1, 1), (1, 1, np.nan), (np.inf, 1, 1), (1, 1)])
def test_impossible_spacing_is_refused(spacing: tuple[float, ...]) -> None:
    with pytest.raises(GeometryError, match="spacing"):
        Geometry((2, 2, 2), spacing)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "direction", [np.zeros((3, 3)), np.ones((3, 3)), np.full((3, 3), np.nan), np.diag([1, 1, 0])]
)
def test_singular_direction_is_refused(direction: np.ndarray) -> None:
    with pytest.raises(GeometryError, match="direction"):
        Geometry((2, 2, 2), direction=as_direction(direction))


def test_empty_grids_and_crops_are_refused() -> None:
    with pytest.raises(GeometryError, match="at least one voxel"):
        Geometry((0, 2, 2))
    with pytest.raises(GeometryError, match="Nothing is left"):
        grid().crop((slice(3, 3), slice(None), slice(None)))
    with pytest.raises(GeometryError, match="no step"):
        grid().crop((slice(None, None, 2), slice(None), slice(None)))


@given(geometries(), st.lists(st.floats(-20, 20), min_size=3, max_size=3))
def test_any_point_goes_there_and_back(geometry: Geometry, point_kji: list[float]) -> None:
    ras = geometry.kji_to_ras([point_kji])
    assert geometry.ras_to_kji(ras)[0] == pytest.approx(point_kji, abs=1e-7)


def test_importing_the_nouns_needs_no_torch() -> None:
    names = ("errors", "progress", "nouns.proposal", "nouns.prompt", "nouns.resample",
             "io.reading", "io.writing", "io.dicom")  # fmt: skip
    program = "; ".join(f"import DiffusionSegLib.{name}" for name in names)
    check = "import sys; assert not {'torch', 'slicer', 'vtk'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", f"{program}; {check}"], check=True)
