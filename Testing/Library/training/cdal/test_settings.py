import json

import pytest

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.methods.cdal.masks import mask_channels
from DiffusionSegLib.training.cdal.settings import Task, load_task
from Testing.Library.training.cdal.tiny_task import task_values

SHIPPED = ["hippocampus", "nuclei", "sarcoma", "skin-lesion"]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_tasks_fit_together(name):
    task = load_task(name)
    assert task.name == name
    assert task.generator.mask_channels == mask_channels(task.labels)
    assert task.discriminator.mask_channels == mask_channels(task.labels)
    assert task.generator.image_channels == len(task.channels) == len(task.intensity)
    assert task.generator.dims == task.discriminator.dims == 2 + task.grid.is_volumetric
    sides = [side for side in task.grid.window_kji if side > 1]
    assert all(side % task.generator.stride == 0 for side in sides)
    assert task.training.attention_level < len(task.discriminator.channels)


def test_overrides_replace_training_settings(tmp_path):
    task = load_task("nuclei", {"batch": 3, "mode": "adversarial"})
    assert (task.training.batch, task.training.mode) == (3, "adversarial")
    path = tmp_path / "own.json"
    path.write_text(json.dumps(task_values()))
    assert load_task(str(path), {"steps": 9}).training.steps == 9


def test_the_source_of_a_task_builds_it_again():
    task = Task.from_dict(task_values(batch=7))
    assert Task.from_dict(json.loads(json.dumps(task.source))) == task


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"training": {"stpes": 3}}, "unknown settings: stpes"),
        ({"training": {"steps": "many"}}, "steps cannot be 'many'"),
        ({"training": {"steps": 2.5}}, "steps cannot be 2.5"),
        ({"training": {"learning_rate": True}}, "learning_rate cannot be True"),
        ({"training": {"mode": "fast"}}, "'released' or 'adversarial', not 'fast'"),
        ({"generator": {"dims": 5}}, "dims must be 2 or 3"),
        ({"grid": {"kind": "round", "window_kji": [1, 8, 8]}}, "grid kind"),
        ({"augmentation": {"wobble": 1}}, "unknown settings: wobble"),
    ],
)
def test_a_task_that_is_wrong_is_a_sentence(change, sentence):
    with pytest.raises(InputError, match=sentence):
        Task.from_dict({**task_values(), **change})


def test_a_missing_entry_is_named():
    values = task_values()
    del values["noise_steps"]
    with pytest.raises(InputError, match="noise_steps"):
        Task.from_dict(values)


def test_unknown_tasks_and_broken_files_are_sentences(tmp_path):
    with pytest.raises(InputError, match=r"no training task 'nucli'.*nuclei"):
        load_task("nucli")
    with pytest.raises(InputError, match="does not exist"):
        load_task(str(tmp_path / "own.json"))
    broken = tmp_path / "own.json"
    for text in ("{", "[1]", "{}"):
        broken.write_text(text)
        with pytest.raises(InputError, match=r"own\.json"):
            load_task(str(broken))
