import argparse
import json

import pytest

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.cdal.command import add_arguments, run
from DiffusionSegLib.training.cdal.pack import read_pack, write_pack
from Testing.Library.training.cdal.tiny_task import disc_pack, task_values


@pytest.fixture
def task_file(tmp_path):
    path = tmp_path / "discs.json"
    path.write_text(json.dumps(task_values()))
    return path


def start(*words: object) -> str:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args([str(word) for word in words]), Progress.silent())


def test_training_without_data_says_what_is_missing(task_file, tmp_path):
    out = tmp_path / "run"
    with pytest.raises(InputError, match="needs --images and --labels, or --packed"):
        start("--task", task_file, "-o", out)
    with pytest.raises(InputError, match=r"folder .*nowhere does not exist"):
        start(
            "--task", task_file, "-o", out, "--images", tmp_path / "nowhere", "--labels", tmp_path
        )


def test_packed_data_are_taken_as_they_are(task_file, tmp_path):
    packed = tmp_path / "data.safetensors"
    write_pack(packed, disc_pack().parts)
    sentence = start("--task", task_file, "-o", tmp_path, "--packed", packed, "--pack-only")
    assert str(packed) in sentence
    assert len(read_pack(packed).part("train")) == 4


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("batch", "NAME=VALUE, not 'batch'"),
        ("colour=3", "unknown settings: colour"),
        ("batch=many", "batch cannot be 'many'"),
        ("mode=fast", "'released' or 'adversarial'"),
    ],
)
def test_settings_that_do_not_exist_are_refused(task_file, tmp_path, setting, sentence):
    with pytest.raises(InputError, match=sentence):
        start("--task", task_file, "-o", tmp_path / "run", "--set", setting)
