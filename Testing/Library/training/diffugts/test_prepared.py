import shutil

import pytest
import torch

from DiffusionSegLib.errors import Cancelled, InputError
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.diffugts.cuts import HEALTHY
from DiffusionSegLib.training.diffugts.prepared import prepare
from Testing.Library.training.diffugts.tiny import tiny_pack, tiny_settings


def test_a_preparation_that_was_stopped_goes_on(backbone, pack, prepared, tmp_path):
    stop = Progress(cancelled=iter([False] * 2 + [True] * 99).__next__)
    with pytest.raises(Cancelled):
        prepare(pack, tiny_settings(), backbone, tmp_path, stop)
    again = prepare(pack, tiny_settings(), backbone, tmp_path, Progress.silent())
    for one, other in zip(again.cuts, prepared.cuts, strict=True):
        assert torch.equal(one.image, other.image) and torch.equal(one.mask, other.mask)
    assert again.twins.keys() == prepared.twins.keys()
    for key, twin in again.twins.items():
        assert torch.equal(twin.difference, prepared.twins[key].difference)


def test_every_cut_has_its_parts(backbone, prepared):
    assert len(prepared.cuts) == len(prepared.regions) == len(prepared.part) > 10
    for number, cut in enumerate(prepared.cuts):
        stages = prepared.stages[number]
        assert [len(stage) for stage in stages] == list(backbone.stage_channels)
        for stage, factor in zip(stages, backbone.stage_factors, strict=True):
            assert tuple(stage.shape[1:]) == tuple(side // factor for side in cut.image.shape)
        assert (number in prepared.marks) <= (cut.role != HEALTHY)


def test_a_twin_changes_only_what_is_filled(prepared):
    assert len(prepared.twins) == tiny_settings().twins
    for number, twin in prepared.twins.items():
        assert twin.filled.shape == prepared.cuts[number].image.shape
        assert not bool(twin.difference[~twin.filled].any())
        assert bool(twin.difference[twin.filled].any())
        assert prepared.part[number] == "train"


def test_other_settings_or_data_are_refused(backbone, pack, prepared_folder):
    told = Progress.silent()
    with pytest.raises(InputError, match="another side"):
        prepare(pack, tiny_settings(side=96), backbone, prepared_folder, told)
    with pytest.raises(InputError, match="another data"):
        prepare(tiny_pack("other"), tiny_settings(), backbone, prepared_folder, told)


def test_a_damaged_piece_is_one_sentence(backbone, pack, prepared_folder, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(prepared_folder, folder)
    piece = folder / "cuts-0000.safetensors"
    piece.write_bytes(piece.read_bytes()[:-50])
    with pytest.raises(InputError, match=r"are damaged .*; delete them"):
        prepare(pack, tiny_settings(), backbone, folder, Progress.silent())
