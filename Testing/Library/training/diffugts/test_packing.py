import numpy as np
import pytest
import torch
from PIL import Image as PILImage

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.backbone.sources import Source
from DiffusionSegLib.training.diffugts.pack import read_pack
from DiffusionSegLib.training.diffugts.packing import pack_lesions
from DiffusionSegLib.training.diffugts.sources import LesionSource, load_lesion_sources
from DiffusionSegLib.training.splits import split_cases

PATIENTS = [f"{number:02d}" for number in range(10)]
SLICES = LesionSource(
    Source("slices", "slices", "images/*.png", {"": []}, patient="([^_]+)"),
    "hepatic", "CT", "liver", ["tumor"], tumor="hepatic", labels=True, values=[2],
    only_with_tumor=True,
)  # fmt: skip
VOLUMES = LesionSource(
    Source("volumes", "volumes", "images/*_ct.nii.gz", {"": []}, suffix="_ct"),
    "sarcoma-ct", "CT", "soft tissue", ["sarcoma"], tumor="sarcoma", labels=True, tumor_slices=2,
    free_slices=2, intensity={"kind": "window", "low": -160, "high": 240},
)  # fmt: skip


@pytest.fixture
def data(tmp_path):
    """Two slices of each of ten patients, of which b has no value 2; and ten volumes of 8 slices
    in HU with a tumor in those from 3 to 5, the first of which is a sliver."""
    for part in ("images", "labels"):
        (tmp_path / "slices" / part).mkdir(parents=True)
        (tmp_path / "volumes" / part).mkdir(parents=True)
    for patient in PATIENTS:
        for slice_ in "ab":
            pixels = np.full((30, 40), 50 + int(patient), np.uint8)
            pixels[29, 39] = 0  # blank pictures are refused
            label = np.zeros((30, 40), np.uint8)
            label[5:9, 5:9] = 1
            label[10:20, 10:20] = 2 * (slice_ == "a")
            for part, array in (("images", pixels), ("labels", label)):
                file = tmp_path / "slices" / part / f"{patient}_{slice_}.png"
                PILImage.fromarray(array).save(file)
        array = np.full((8, 20, 24), 40, np.int16)
        array[:, 19, 23] = -1000
        mask = np.zeros(array.shape, np.uint8)
        mask[3, 8, 8], mask[4:6, 5:15, 5:15] = 1, 1
        image = Image.from_array(array)
        image.write(tmp_path / "volumes" / "images" / f"v{patient}_ct.nii.gz")
        Mask(mask, image.geometry).write(tmp_path / "volumes" / "labels" / f"v{patient}.nii.gz")
    return tmp_path


def embed(texts):
    return torch.stack([torch.full((4,), float(len(text))) for text in texts])


def packed(data, tmp_path, *sources):
    file = tmp_path / "packed.safetensors"
    pack_lesions(sources, data, embed, file, Progress.silent())
    return read_pack(file)


def test_only_the_tumor_s_value_counts(data, tmp_path):
    pack = packed(data, tmp_path, SLICES)
    assert all(picture.case.endswith("_a") for picture in pack.pictures)
    for picture in pack.pictures:
        assert int(picture.mask.sum()) == 100 and bool(picture.mask[10:20, 10:20].all())
        assert not picture.healthy and picture.tumor == picture.kind == "hepatic"


def test_the_test_part_is_named_but_not_in_the_file(data, tmp_path):
    pack, test = packed(data, tmp_path, SLICES), split_cases(PATIENTS)["test"]
    assert set(pack.split["test"]) == {f"slices/{p}_{s}" for p in test for s in "ab"}
    shades = {int(picture.pixels[0, 0]) - 50 for picture in pack.pictures}
    assert shades == {int(p) for p in PATIENTS if p not in test}


def test_slices_with_a_clear_tumor_and_without_any(data, tmp_path):
    """40 HU is half way from -160 to 240; the sliver of slice 3 is neither."""
    pack = packed(data, tmp_path, VOLUMES)
    first = [p for p in pack.pictures if p.case == pack.pictures[0].case]
    assert [int(p.mask.sum()) for p in first] == [100, 100, 0, 0]
    assert [p.healthy for p in first] == [False, False, True, True]
    assert {int(p.pixels[0, 0]) for p in first} == {128}


def test_background_is_never_called_healthy(data, tmp_path):
    from dataclasses import replace

    liver = replace(SLICES, healthy=False, labels=False, only_with_tumor=False, tumor="")
    pack = packed(data, tmp_path, liver)
    assert not any(p.healthy or p.has_tumor for p in pack.pictures)


def test_texts_are_kept_once_with_their_vectors(data, tmp_path):
    pack = packed(data, tmp_path, SLICES, VOLUMES)
    assert len(set(pack.texts)) == len(pack.texts)
    normal, abnormal = pack.pictures[0].texts[0]
    assert pack.texts[normal] == "A normal CT of liver"
    assert pack.texts[abnormal] == "An abnormal CT of liver with tumor"
    assert [int(v[0]) for v in pack.text] == [len(text) for text in pack.texts]


def test_an_empty_picture_is_left_out(data, tmp_path):
    file = data / "slices" / "images" / "03_a.png"
    pixels = np.zeros((30, 40), np.uint8)
    pixels[3, 3] = 200
    PILImage.fromarray(pixels).save(file)
    pack = packed(data, tmp_path, SLICES)
    assert "slices/03_a" not in {picture.case for picture in pack.pictures}


def test_a_missing_label_is_named(data, tmp_path):
    (data / "slices" / "labels" / "04_a.png").unlink()
    with pytest.raises(InputError, match=r"04_a .* no file in its labels folder"):
        packed(data, tmp_path, SLICES)


def test_a_label_of_another_grid_is_refused(data, tmp_path):
    PILImage.fromarray(np.zeros((8, 8), np.uint8)).save(data / "slices" / "labels" / "04_a.png")
    with pytest.raises(InputError, match="does not lie on the grid"):
        packed(data, tmp_path, SLICES)


def test_the_shipped_list():
    sources = {source.kind: source for source in load_lesion_sources()}
    assert {source.tumor for source in sources.values()} == {
        "", "brain", "lung", "hepatic", "sarcoma", "ms",
    }  # fmt: skip
    assert sources["hepatic"].values == [2] and sources["hepatic"].only_with_tumor
    assert not sources["liver"].healthy and not sources["liver"].labels
    assert "STS_019" in sources["sarcoma-ct"].images.exclude
    assert sources["sarcoma-ct"].intensity["low"] == -160
    assert sources["sarcoma-mr"].intensity == {"kind": "percentile", "low": 0.5, "high": 99.5}


def test_a_list_that_names_no_source_is_one_sentence(tmp_path):
    file = tmp_path / "list.json"
    file.write_text('[{"source": "kidney"}]')
    with pytest.raises(InputError, match="not usable"):
        load_lesion_sources(file)
