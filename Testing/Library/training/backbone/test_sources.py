import json

import pytest

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.training.backbone.sources import Source, load_sources

SHIPPED = {source.name: source for source in load_sources()}


@pytest.mark.parametrize(
    ("source", "case", "patient"),
    [
        ("liver", "10001_102", "10001"),
        ("pancreas", "PANCREAS_0001-1106", "PANCREAS_0001"),
        ("hepatic-vessel", "11485_16", "11485"),
        ("lung-patch", "test_057", "test_05"),
        ("lung-patch", "val_110", "val_11"),
        ("brain-tumour-run", "3015", "run-000"),
        ("brain-tumour-run", "3048", "run-003"),
        ("sarcoma-ct", "STS_002", "STS_002"),
        ("hippocampus", "hippocampus_001", "hippocampus_001"),
        ("dermoscopy", "ISIC_0001769", "ISIC_0001769"),
        ("nuclei", "fluorescence_001", "fluorescence_001"),
        ("brain-tumour", "10002", "10002"),
    ],
)
def test_patients(source, case, patient):
    assert SHIPPED[source].patient_of(case) == patient


def test_every_source_can_be_told_apart_and_described():
    assert len(SHIPPED) == len(load_sources()) >= 12
    for source in SHIPPED.values():
        assert source.weight > 0
        assert all(len(texts) >= 3 for texts in source.captions.values())
    assert "stained" in SHIPPED["nuclei"].captions_of("stained_004")[0]
    assert "fluorescence" in SHIPPED["nuclei"].captions_of("fluorescence_004")[0]


@pytest.mark.parametrize("task", ["skin-lesion", "nuclei", "sarcoma", "hippocampus"])
def test_what_decides_the_split_is_as_for_cdal(task):
    """So that a part which a shipped cDAL model is tested on is not learnt from here."""
    from DiffusionSegLib.training.cdal.settings import load_task

    ours = {"skin-lesion": "dermoscopy", "sarcoma": "sarcoma-mr"}.get(task, task)
    theirs = load_task(task, {})
    assert tuple(SHIPPED[ours].strata) == tuple(theirs.strata)
    assert tuple(SHIPPED[ours].exclude) == tuple(theirs.exclude)


def test_files_by_case(tmp_path):
    folder = tmp_path / "set" / "images"
    folder.mkdir(parents=True)
    for name in ("b_mr.nii.gz", "a_mr.nii.gz", "c_mr.nii.gz", "a_ct.nii.gz"):
        (folder / name).touch()
    source = Source("one", "set", "images/*_mr.nii.gz", {"": ["x"]}, suffix="_mr", exclude=["c"])
    assert {case: path.name for case, path in source.files(tmp_path).items()} == {
        "a": "a_mr.nii.gz",
        "b": "b_mr.nii.gz",
    }
    with pytest.raises(InputError, match="no images"):
        source.files(tmp_path / "elsewhere")


def test_a_case_without_a_patient_is_an_error():
    with pytest.raises(InputError, match="'liver'"):
        SHIPPED["pancreas"].patient_of("liver")


@pytest.mark.parametrize("text", ["{", "[1]", '[{"name": "x"}]', '[{"nam": 1}]'])
def test_lists_that_cannot_be_used(tmp_path, text):
    file = tmp_path / "sources.json"
    file.write_text(text)
    with pytest.raises(InputError, match=r"sources\.json is not usable"):
        load_sources(file)
    file.write_text(json.dumps([]))
    assert load_sources(file) == ()
