import dataclasses

import numpy as np
import pytest

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.methods.cdal.intensity import IntensityRule
from DiffusionSegLib.methods.cdal.model_grid import ModelGrid
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.cdal.pack import read_pack
from DiffusionSegLib.training.cdal.packing import find_cases, pack_task
from Testing.Library.training.cdal.tiny_task import tiny_task

FLIPPED = ((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


def volume_task(channels=("ct",), suffixes=(), **changes):
    return dataclasses.replace(
        tiny_task(labels=2),
        channels=channels,
        label_values=(3, 7),
        intensity=(IntensityRule("window", -100, 100),) * len(channels),
        grid=ModelGrid("spacing", (8, 8, 8), (2.0, 2.0, 2.0)),
        suffixes=suffixes,
        **changes,
    )


def write_case(folder, stem, suffixes=("",), geometry=None, shift=0.0):
    """A bright block of label 3 with a brighter block of label 7 inside it."""
    geometry = geometry or Geometry((12, 16, 20), (1.0, 1.0, 1.0), (5.0, 0.0, -3.0), FLIPPED)
    labels = np.zeros(geometry.shape_kji, np.uint8)
    labels[2:10, 4:12, 4:16] = 3
    labels[4:8, 6:10, 6:10] = 7
    for part in ("images", "labels"):
        (folder / part).mkdir(exist_ok=True)
    for number, suffix in enumerate(suffixes):
        values = np.where(labels == 3, 50, np.where(labels == 7, 100, -100)) * (1 - 2 * number)
        image = Image(values[None].astype(np.int16), geometry, dimension=3)
        image.write(folder / "images" / f"{stem}{suffix}.nii.gz")
    origin = tuple(o + shift for o in geometry.origin_lps)
    moved = dataclasses.replace(geometry, origin_lps=origin)
    Mask(labels, moved).write(folder / "labels" / f"{stem}.nii.gz")


def pack(task, folder, negatives=()):
    out = folder / "data.safetensors"
    names = pack_task(task, folder / "images", folder / "labels", negatives, out, Progress.silent())
    return names, read_pack(out)


def test_cases_are_packed_as_inference_sees_them(tmp_path):
    for number in range(10):
        write_case(tmp_path, f"p{number}")
    names, found = pack(volume_task(), tmp_path)
    assert [len(names[part]) for part in ("train", "validation", "test")] == [7, 1, 2]
    case = found.part("train")[0]
    assert case.image.shape == (1, 6, 8, 10)
    assert case.label.shape == (6, 8, 10)
    assert case.label.unique().tolist() == [0, 1, 2]  # classes in the order of label_values
    # Stored right to left, seen left to right: the inner block is now on the other side.
    inner = (case.label == 2).nonzero()
    assert inner.min(dim=0).values.tolist() == [2, 3, 5]
    assert inner.max(dim=0).values.tolist() == [3, 4, 6]
    for value, level in ((0, -1.0), (1, 0.5), (2, 1.0)):
        assert case.image[0][case.label == value].float().numpy() == pytest.approx(level, abs=1e-3)


def test_channels_come_from_suffixes_and_excluded_cases_stay_out(tmp_path):
    for number in range(4):
        write_case(tmp_path, f"p{number}", ("_ct", "_mr"))
    task = volume_task(("ct", "mr"), ("_ct", "_mr"), exclude=("p2",))
    names, found = pack(task, tmp_path)
    assert sorted(n for members in names.values() for n in members) == ["p0", "p1", "p3"]
    image = found.part("train")[0].image
    assert len(image) == 2
    assert np.allclose(image[0][..., 0].float(), -1, atol=1e-3)
    assert np.allclose(image[1][..., 0].float(), 1, atol=1e-3)


def test_negatives_are_empty_cut_to_size_and_split(tmp_path):
    for number in range(3):
        write_case(tmp_path, f"p{number}")
    others = tmp_path / "others"
    others.mkdir()
    for number in range(10):
        noise = np.random.default_rng(number).integers(-99, 99, (1, 60, 60, 60))
        image = Image(noise.astype(np.int16), Geometry((60, 60, 60)), dimension=3)
        image.write(others / f"n{number}_mr.nii.gz")
    names, found = pack(
        volume_task(("ct", "mr"), ("", "")), tmp_path, [str(others / "*_mr.nii.gz")]
    )
    parts = [len(names[f"negative-{part}"]) for part in ("train", "validation", "test")]
    assert parts == [7, 1, 2]
    case = found.part("negative-train")[0]
    assert case.image.shape == (2, 12, 12, 12)  # one and a half windows
    assert not case.label.any()
    assert case.name.startswith("negative-n")


def test_labels_and_images_must_belong_together(tmp_path):
    write_case(tmp_path, "p0")
    write_case(tmp_path, "p1", shift=4.0)
    with pytest.raises(InputError, match=r"p1.*does not lie on the grid"):
        pack(volume_task(), tmp_path)
    (tmp_path / "images" / "p0.nii.gz").unlink()
    with pytest.raises(InputError, match=r"p0\.nii\.gz has no image named p0"):
        find_cases(tmp_path / "images", tmp_path / "labels", ())
    with pytest.raises(InputError, match="p0_ct"):
        find_cases(tmp_path / "images", tmp_path / "labels", ("_ct", "_mr"))


def test_missing_files_are_sentences(tmp_path):
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
    with pytest.raises(InputError, match="holds no labels"):
        find_cases(tmp_path / "images", tmp_path / "labels", ())
    write_case(tmp_path, "p0")
    with pytest.raises(InputError, match="No negative images"):
        pack(volume_task(), tmp_path, [str(tmp_path / "nothing" / "*.nii.gz")])
