import json

import numpy as np
import pytest
import torch
from PIL import Image as PILImage

from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.backbone.pack import read_pack
from DiffusionSegLib.training.backbone.packing import pack_sources, source_split
from DiffusionSegLib.training.backbone.sources import Source
from DiffusionSegLib.training.eight_bits import LONGEST_SIDE
from DiffusionSegLib.training.splits import split_cases
from Testing.Project.source import ROOT

PATIENTS = [f"{number:02d}" for number in range(10)]


@pytest.fixture
def data(tmp_path):
    """Two slices of each of ten patients, at most 10 times the patient's number and 9 bright;
    and ten volumes whose slices are their own number."""
    folder = tmp_path / "data" / "slices" / "images"
    folder.mkdir(parents=True)
    for patient in PATIENTS:
        for slice_ in "ab":
            pixels = np.full((8, 12), 10 * int(patient) + 9, np.uint8)
            pixels[0, 0] = 0
            PILImage.fromarray(pixels).save(folder / f"{patient}_{slice_}.png")
    folder = tmp_path / "data" / "volumes" / "images"
    folder.mkdir(parents=True)
    for patient in PATIENTS:
        array = np.broadcast_to(np.arange(20, dtype=np.int16)[:, None, None], (20, 6, 7))
        Image.from_array(np.ascontiguousarray(array)).write(folder / f"v{patient}_ct.nii.gz")
    return tmp_path / "data"


SLICES = Source("slices", "slices", "images/*.png", {"": ["one", "two"]}, patient="([^_]+)")
VOLUMES = Source(
    "volumes", "volumes", "images/*_ct.nii.gz", {"": ["two"]}, suffix="_ct", slices=3,
    axes=["k", "i"], intensity={"kind": "window", "low": 0, "high": 19},
)  # fmt: skip


def embed(text):
    return torch.full((1, 2, 4), float(len(text)))


def test_patients_stay_together(data):
    parts = source_split(SLICES, data)
    wanted = split_cases(PATIENTS)
    for part, patients in wanted.items():
        assert sorted(parts[part]) == sorted(f"{p}_{s}" for p in patients for s in "ab")


def test_the_test_part_is_named_but_not_in_the_file(data, tmp_path):
    file = tmp_path / "data.safetensors"
    pack_sources([SLICES, VOLUMES], data, embed, file, Progress.silent())
    pack = read_pack(file)
    test = split_cases(PATIENTS)["test"]
    assert {case for case in pack.split["test"] if case.startswith("slices")} == {
        f"slices/{p}_{s}" for p in test for s in "ab"
    }
    packed = {picture.case for picture in pack.pictures}
    assert packed == {*pack.split["train"], *pack.split["validation"]}
    levels = {int(p.pixels.max()) for p in pack.pictures if p.source == "slices"}
    assert levels == {10 * int(p) + 9 for p in PATIENTS if p not in test}


def test_captions_are_kept_once_and_the_empty_one_is_first(data, tmp_path):
    file = tmp_path / "data.safetensors"
    pack = pack_sources([SLICES, VOLUMES], data, embed, file, Progress.silent())
    assert pack.captions == ("", "one", "two")
    assert [float(states.mean()) for states in pack.text] == [0.0, 3.0, 3.0]
    told = {(picture.source, picture.captions) for picture in pack.pictures}
    assert told == {("slices", (1, 2)), ("volumes", (2,))}


def test_slices_of_volumes(data, tmp_path):
    """Of 20 slices those at 15, 50 and 85 %; a window of 0 to 19 over 8 bits."""
    file = tmp_path / "data.safetensors"
    pack = pack_sources([VOLUMES], data, embed, file, Progress.silent())
    case = pack.split["train"][0]
    found = [picture.pixels for picture in pack.pictures if picture.case == case]
    assert [tuple(pixels.shape) for pixels in found] == [(1, 6, 7)] * 3 + [(1, 20, 6)] * 3
    places = [round(share * 19) for share in (0.15, 0.5, 0.85)]
    assert [int(pixels.max()) for pixels in found[:3]] == [
        round(place / 19 * 255) for place in places
    ]
    assert found[3][0, :, 0].tolist() == [round(place / 19 * 255) for place in range(20)]


def test_large_and_deep_pictures_are_made_smaller(tmp_path):
    folder = tmp_path / "set" / "images"
    folder.mkdir(parents=True)
    board = np.indices((512, 384)).sum(0) % 2 * 65535
    PILImage.fromarray(board.astype(np.uint16)).save(folder / "a.png")
    source = Source("one", "set", "images/*.png", {"": ["x"]})
    pack = pack_sources([source], tmp_path, embed, tmp_path / "p", Progress.silent())
    pixels = pack.pictures[0].pixels
    assert tuple(pixels.shape) == (1, LONGEST_SIDE, 192)
    assert int(pixels.min()) >= 120 and int(pixels.max()) <= 135  # a fine board becomes gray


@pytest.mark.parametrize(
    ("task", "folder"),
    [("skin-lesion", "isic2017_98"), ("nuclei", "dsb2018_nuclei"), ("sarcoma", "sts_ct_mr"),
     ("hippocampus", "msd_hippocampus")],
)  # fmt: skip
def test_the_bundled_models_were_split_alike(task, folder):
    """What a bundled cDAL model is tested on was not in the backbone's training file either."""
    cards = [ROOT / "Resources" / "Models" / name for name in (f"cdal/{task}", "backbone/compact")]
    texts = [(card / "model.json").read_text("utf-8") for card in cards]
    cdal, backbone = (json.loads(text)["splits"] for text in texts)
    for part in ("train", "validation", "test"):
        ours = {case.partition("/")[2] for case in backbone[part] if case.startswith(folder + "/")}
        assert ours == set(cdal[part])
