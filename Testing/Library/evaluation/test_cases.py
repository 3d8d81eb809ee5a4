from pathlib import Path

import pytest

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.evaluation.cases import (
    channel_names,
    find_cases,
    find_images,
    read_case_names,
    stem_of,
)


@pytest.fixture
def folders(tmp_path):
    images, labels = tmp_path / "images", tmp_path / "labels"
    images.mkdir()
    labels.mkdir()

    def fill(image_names, label_names):
        for name in image_names:
            (images / name).touch()
        for name in label_names:
            (labels / name).touch()
        return images, labels

    return fill


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a.nii.gz", "a"),
        ("a.seg.nrrd", "a"),
        ("a.b.PNG", "a.b"),
        ("README.md", None),
        (".x.png", None),
    ],
)
def test_stem(name, stem):
    assert stem_of(Path(name)) == stem


def test_same_stems_of_different_formats(folders):
    found = find_cases(*folders(["a.jpg", "b.jpg", "notes.csv"], ["a.png", "c.png"]))
    assert [case.name for case in found.cases] == ["a"]
    assert found.cases[0].images[0].name == "a.jpg"
    assert found.cases[0].label.name == "a.png"
    assert found.unpaired == ("c",)


def test_channels_come_in_the_order_of_the_model(folders):
    pair = folders(["S_1_ct.nii.gz", "S_1_mr.nii.gz"], ["S_1.nii.gz"])
    for inputs in (("ct", "mr"), ("mr", "ct")):
        (case,) = find_cases(*pair, inputs).cases
        assert case.channels == inputs
        assert [path.name for path in case.images] == [f"S_1_{name}.nii.gz" for name in inputs]


@pytest.mark.parametrize("chosen", [("ct",), ("mr",), ("mr", "ct")])
def test_chosen_channels(folders, chosen):
    pair = folders(["S_1_ct.nii.gz", "S_1_mr.nii.gz"], ["S_1.nii.gz"])
    (case,) = find_cases(*pair, ("ct", "mr"), chosen).cases
    assert case.channels == tuple(sorted(chosen))


def test_a_case_without_a_chosen_channel_is_left_out(folders):
    pair = folders(["S_1_ct.nii", "S_2_ct.nii", "S_2_mr.nii"], ["S_1.nii", "S_2.nii"])
    found = find_cases(*pair, ("ct", "mr"), ("ct", "mr"))
    assert [case.name for case in found.cases] == ["S_2"]
    assert found.unpaired == ("S_1",)


def test_one_odd_suffix_is_understood_and_two_are_not_guessed(folders):
    pair = folders(["p_flair.nii"], ["p.nii"])
    assert find_cases(*pair, ("t1",)).cases[0].channels == ("flair",)
    pair = folders(["p_t2.nii"], [])
    with pytest.raises(InputError, match="--channels"):
        find_cases(*pair, ("t1",))
    assert find_cases(*pair, ("t1",), ("flair",)).cases[0].channels == ("flair",)


def test_a_name_that_begins_another_name_is_not_its_channel(folders):
    found = find_cases(*folders(["A.png", "A_ct.png"], ["A.png", "A_ct.png"]), ("ct",))
    assert [[path.name for path in case.images] for case in found.cases] == [
        ["A.png"],
        ["A_ct.png"],
    ]


def test_an_image_with_an_outline_of_its_own_is_no_channel_of_another(folders):
    pair = folders(["A_ct.nii", "A_mr.nii"], ["A.nii", "A_ct.nii"])
    found = {case.name: case.channels for case in find_cases(*pair, ("ct", "mr")).cases}
    assert found == {"A": ("mr",), "A_ct": ()}


def test_a_folder_is_an_image(folders):
    images, labels = folders([], ["p.nii"])
    (images / "p").mkdir()
    assert find_cases(images, labels).cases[0].images == (images / "p",)


def test_listed_cases(folders, tmp_path):
    pair = folders(["a.png", "b.png"], ["a.png", "b.png"])
    listing = tmp_path / "list.txt"
    listing.write_text("# held out\nb\n\n")
    assert [case.name for case in find_cases(*pair, only=read_case_names(listing)).cases] == ["b"]
    with pytest.raises(InputError, match=r"1 of 2 listed cases .*\(x\)"):
        find_cases(*pair, only=("a", "x"))


def test_sentences_for_unusable_folders(folders, tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        find_cases(tmp_path / "nowhere", tmp_path)
    pair = folders(["a.png"], [])
    with pytest.raises(InputError, match="No outline was found"):
        find_cases(*pair)
    pair = folders(["a.jpg"], ["a.png"])
    with pytest.raises(InputError, match=r"a\.jpg and a\.png"):
        find_cases(*pair)
    listing = tmp_path / "empty.txt"
    listing.write_text("\n")
    with pytest.raises(InputError, match="is empty"):
        read_case_names(listing)
    with pytest.raises(InputError, match="cannot be read"):
        read_case_names(tmp_path / "none.txt")


def test_images_without_outlines_are_grouped_by_channel(folders):
    images, _ = folders(["a_ct.nii", "a_mr.nii", "b_ct.nii", "c.nii"], [])
    found = find_images(images, ("ct", "mr")).cases
    assert [(case.name, case.channels) for case in found] == [
        ("a", ("ct", "mr")),
        ("b", ("ct",)),
        ("c", ()),
    ]
    assert all(case.label is None for case in found)


@pytest.mark.parametrize(
    ("files", "chosen", "expected"),
    [
        (["x_mr.nii.gz", "x_ct.nii.gz"], (), ("mr", "ct")),
        (["one.nii", "two.nii"], (), ("ct", "mr")),
        (["one.nii"], (), ()),
        (["x_CT.nii"], (), ("ct",)),
        (["one.nii"], ("MR",), ("mr",)),
    ],
)
def test_which_input_an_image_is(files, chosen, expected):
    assert channel_names([Path(name) for name in files], ["ct", "mr"], chosen) == expected
