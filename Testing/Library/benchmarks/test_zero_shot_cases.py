"""The data sets of the zero-shot benchmark, on made-up folders."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.errors import InputError, UnknownNameError
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.training.splits import split_cases
from Testing.Benchmarks.zero_shot.cases import SAMPLE_SETS, SETS, load_cases
from Testing.Benchmarks.zero_shot.sets import Source, before_mark, block_of_16, ten_each
from Testing.Benchmarks.zero_shot.slices import cut_around_one, largest_slice, random_cut


def add_picture(folder: Path, name: str, label: np.ndarray, channels: int = 1) -> None:
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    shape = label.shape if channels == 1 else (*label.shape, channels)
    values = np.arange(np.prod(shape)).reshape(shape) % 251
    Picture.fromarray(values.astype(np.uint8)).save(folder / "images" / f"{name}.png")
    Picture.fromarray(label).save(folder / "labels" / f"{name}.png")


def a_label(*values: int) -> np.ndarray:
    label = np.zeros((20, 30), np.uint8)
    for number, value in enumerate(values):
        label[2 + 5 * number : 6 + 5 * number, 4:20] = value
    return label


def test_the_object_is_made_of_the_labels_that_the_set_names(tmp_path: Path) -> None:
    folder = tmp_path / "restricted" / "wbc_zheng2018"
    add_picture(folder, "d1_001", a_label(1, 2), channels=3)
    (nucleus,) = load_cases("wbc-nucleus", tmp_path)
    (cell,) = load_cases("wbc-cell", tmp_path)
    assert nucleus.image.is_rgb and nucleus.image.dimension == 2
    assert nucleus.truth.shape == (1, 20, 30) and nucleus.truth.sum() == 4 * 16
    assert np.array_equal(cell.truth[0], a_label(1, 2) > 0)


def test_images_without_the_object_are_skipped(tmp_path: Path) -> None:
    folder = tmp_path / "restricted" / "covid_cxr_infection"
    add_picture(folder, "healthy", a_label(1))
    add_picture(folder, "ill", a_label(1, 3))
    assert [case.name for case in load_cases("cxr-infection", tmp_path)] == ["ill"]


def test_open_sets_are_split_by_patient_and_restricted_ones_are_not(tmp_path: Path) -> None:
    skin, cells = tmp_path / "open" / "isic2017_98", tmp_path / "restricted" / "wbc_zheng2018"
    names = [f"ISIC_{number:03}" for number in range(20)]
    for name in names:
        add_picture(skin, name, a_label(1))
        add_picture(cells, name, a_label(1))
    expected = split_cases(names)
    for part in ("train", "validation", "test"):
        found = [case.name for case in load_cases("skin-lesion", tmp_path, part)]
        assert found == sorted(expected[part])
    assert len(list(load_cases("skin-lesion", tmp_path, "all"))) == 20
    assert len(list(load_cases("wbc-cell", tmp_path, "test"))) == 20
    assert not list(load_cases("wbc-cell", tmp_path, "train"))


def test_a_set_of_few_patients_is_tested_whole_but_still_has_a_train_part(tmp_path: Path) -> None:
    folder = tmp_path / "open" / "msd_lung_slices"
    for patient in range(10):
        for slice_ in (3, 4):
            add_picture(folder, f"{patient}_{slice_}", a_label(1))
    train = list(load_cases("lung-tumor", tmp_path, "train"))
    assert len(train) == 14 and len({case.group for case in train}) == 7
    assert len(list(load_cases("lung-tumor", tmp_path))) == 20


def test_a_limit_takes_cases_from_everywhere(tmp_path: Path) -> None:
    for number in range(10):
        add_picture(tmp_path / "restricted" / "wbc_zheng2018", f"d1_{number:03}", a_label(2))
    found = [case.name for case in load_cases("wbc-nucleus", tmp_path, limit=3)]
    assert found == ["d1_000", "d1_003", "d1_006"]


def test_groups_are_read_from_the_names() -> None:
    assert before_mark("PANCREAS_0001-1106") == "PANCREAS_0001"
    assert before_mark("10001_102") == "10001"
    assert block_of_16("3015") != block_of_16("3016") == block_of_16("3031")
    assert ten_each("val_009") != ten_each("val_010") == ten_each("val_019")
    assert ten_each("val_010") != ten_each("test_010")


def a_volume() -> tuple[Image, np.ndarray]:
    truth = np.zeros((6, 30, 40), bool)
    truth[2, 5:15, 5:15] = True
    truth[4, 5:25, 5:35] = True
    array = np.arange(truth.size, dtype=np.int16).reshape(1, *truth.shape)
    return Image(array, Geometry(truth.shape, (2.0, 2.0, 3.0)), ("mr",)), truth


def test_a_volume_shows_its_largest_slice_at_its_place() -> None:
    image, truth = a_volume()
    flat, flat_truth = largest_slice(image, truth)
    assert flat.dimension == 2 and np.array_equal(flat.array[0, 0], image.array[0, 4])
    assert np.array_equal(flat_truth[0], truth[4])
    assert np.allclose(
        flat.geometry.kji_to_ras([[0, 1, 2]]), image.geometry.kji_to_ras([[4, 1, 2]])
    )


def test_a_cut_is_off_the_middle_holds_half_of_the_object_and_can_be_repeated() -> None:
    image, truth = largest_slice(*a_volume())
    middles = []
    for name in ("a", "b", "c", "d", "e", "f"):
        cut, cut_truth = random_cut(image, truth, name, seed=0)
        assert cut.array.shape[1:] == cut_truth.shape
        assert all(0.58 < part / whole < 0.92 for part, whole in
                   zip(cut_truth.shape[1:], truth.shape[1:], strict=True))  # fmt: skip
        assert cut_truth.sum() >= truth.sum() / 2
        again, _ = random_cut(image, truth, name, seed=0)
        assert np.array_equal(cut.array, again.array)
        middle = np.argwhere(cut_truth[0]).mean(axis=0) / cut_truth.shape[1:]
        middles.append(np.abs(middle - 0.5).max())
    assert max(middles) > 0.05
    other, _ = random_cut(image, truth, "a", seed=1)
    assert other.array.shape != random_cut(image, truth, "a", seed=0)[0].array.shape


def test_one_of_many_objects_is_cut_out_alone() -> None:
    truth = np.zeros((1, 120, 160), dtype=bool)
    for row, column, side in ((10, 20, 12), (50, 30, 12), (60, 45, 14), (90, 120, 15), (5, 100, 3)):
        truth[0, row : row + side, column : column + side] = True
    pixels = np.random.default_rng(0).integers(0, 255, (1, 1, 120, 160)).astype(np.uint8)
    pixels[0, truth] = 255
    image = Image(pixels, Geometry((1, 120, 160), (1.0, 1.0, 1.0)), ("gray",), dimension=2)
    areas = set()
    for name in ("a", "b", "c", "d", "e", "f", "g", "h"):
        cut, one = cut_around_one(image, truth, name, seed=0)
        assert cut.array.shape[1:] == one.shape and one.shape[1] == one.shape[2] >= 32
        assert (cut.array[0][one] == 255).all()
        assert 0.8 * 144 <= one.sum() <= 225  # one object, and not the small one
        areas.add(int(one.sum()))
        again, same = cut_around_one(image, truth, name, seed=0)
        assert np.array_equal(again.array, cut.array) and np.array_equal(one, same)
    assert len(areas) > 1


def test_what_is_missing_is_said() -> None:
    with pytest.raises(UnknownNameError, match="skin-lesion"):
        list(load_cases("skin-lesions", None))
    with pytest.raises(InputError, match="open/isic2017_98"):
        list(load_cases("skin-lesion", Path("nowhere")))
    with pytest.raises(InputError, match="train, validation, test, all"):
        list(load_cases("skin-lesion", None, part="dev"))


def test_the_samples_are_single_objects_and_channels_share_their_cut() -> None:
    found = {name: list(load_cases(name, None)) for name in SAMPLE_SETS}
    assert all(case.truth.any() for cases in found.values() for case in cases)
    for ct, mr in zip(found["sarcoma-ct"], found["sarcoma-mr"], strict=True):
        assert ct.image.channel_names == ("ct",) and mr.image.channel_names == ("mr",)
        assert np.array_equal(ct.truth, mr.truth)


@pytest.mark.parametrize("name", ["skin-lesion", "sarcoma"])
def test_the_test_part_is_that_of_the_bundled_model(name: str) -> None:
    splits = ModelStore().find("cdal", name).splits
    names = sorted(stem for part in splits.values() for stem in part)
    data_set = SETS["sarcoma-ct" if name == "sarcoma" else name]
    source = data_set.sources[0]
    assert isinstance(source, Source)
    assert data_set.in_part(source, names, "test") == sorted(splits["test"])
