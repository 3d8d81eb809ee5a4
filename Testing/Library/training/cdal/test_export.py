import json

import numpy as np
import pytest
import torch

from DiffusionSegLib.backbones.store import ModelStore, file_sha256
from DiffusionSegLib.backbones.weights import read_safetensors
from DiffusionSegLib.methods.cdal.presence import PresenceEvidence, PresenceLimits
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.session import Session
from DiffusionSegLib.training.cdal.card import card_text
from DiffusionSegLib.training.cdal.export import export_model, measure, negatives, presence_limits
from DiffusionSegLib.training.cdal.pack import Pack, PackedCase
from DiffusionSegLib.training.cdal.settings import Task
from DiffusionSegLib.training.cdal.trainer import Trainer
from Testing.Library.training.cdal.tiny_task import disc_pack, task_values

CARD = {
    "title": "Discs", "summary": "Outlines discs.", "modality": ["MR"],
    "licence": {"name": "CC0 1.0", "url": "", "commercial": True}, "citation": "None.",
    "attribution": "Nobody.", "inputs": [{"name": "MR", "kind": "MR", "required": True}],
    "target": "the disc", "limits": "Only discs.", "data": "Discs", "command": "train discs",
    "samples": 2, "default": True,
}  # fmt: skip


def trainer_for(folder, labels=1):
    values = task_values(labels)
    parts = [
        {"value": n, "name": f"disc {n}", "color_rgb": [1, 0, 0]} for n in range(1, labels + 1)
    ]
    values["card"] = {**CARD, "labels": parts}
    return Trainer(Task.from_dict(values), disc_pack(labels), folder)


@pytest.fixture(scope="module", params=[1, 2], ids=["one label", "two labels"])
def exported(request, tmp_path_factory):
    """A trained toy, its model folder, what was reported."""
    folder = tmp_path_factory.mktemp("export")
    trainer = trainer_for(folder / "run", request.param)
    trainer.run(Progress.silent())
    reports = []
    place = folder / "models" / "cdal" / "discs"
    export_model(trainer, place, Progress(reports.append))
    return trainer, place, reports


def test_the_folder_is_a_model_that_the_store_finds_and_a_session_opens(exported):
    _, place, _ = exported
    store = ModelStore([place.parent.parent])
    (entry,) = store.list("cdal")
    store.verify(entry)
    assert (entry.id, entry.title, entry.default) == ("cdal/discs", "Discs", True)
    session = Session("cdal", device="cpu", store=store)
    rng = np.random.default_rng(0)
    session.set_image(Image(rng.random((1, 1, 20, 20), np.float32), Geometry((1, 20, 20))))
    assert session.propose().probability.array.shape == (len(entry.labels), 1, 20, 20)


def test_the_best_weights_are_stored_as_halves(exported):
    trainer, place, _ = exported
    stored = read_safetensors(place / "weights.safetensors")
    assert set(stored) == set(trainer.best_weights)
    for name, value in trainer.best_weights.items():
        assert stored[name].dtype == torch.float16
        assert torch.equal(stored[name], value.to(torch.float16))


def test_the_card_tells_what_was_trained(exported):
    trainer, place, _ = exported
    entry = json.loads((place / "model.json").read_text())
    (file,) = entry["files"]
    assert file["sha256"] == file_sha256(place / "weights.safetensors")
    assert entry["splits"]["train"] == ["t0", "t1", "t2", "t3"]
    assert entry["splits"]["validation"] == ["v0", "v1"]
    record = entry["training"]
    assert (record["mode"], record["steps"], record["batch"]) == ("released", 6, 2)
    assert record["parameters"] == sum(p.numel() for p in trainer.steps.generator.parameters())
    assert entry["settings"]["generator"] == json.loads(
        json.dumps(trainer.task.generator.to_dict())
    )
    assert entry["settings"]["samples"] == 2
    assert (place / "CARD.md").read_text() == card_text(entry)


def test_the_metric_is_measured_on_the_exported_weights(exported):
    trainer, place, _ = exported
    entry = json.loads((place / "model.json").read_text())
    network = trainer.steps.average.network
    kept = {name: value.clone() for name, value in network.state_dict().items()}
    network.load_state_dict(
        {n: v.float() for n, v in read_safetensors(place / "weights.safetensors").items()}
    )
    again = measure(trainer, network.eval(), Progress.silent())
    network.load_state_dict(kept)
    assert entry["metrics"] == [{"split": "validation", "dice": again["dice"], "grid": "model"}]
    assert entry["settings"]["presence"] == again["presence"]
    assert record_of(entry) == (again["negatives"], again["alarms"])
    assert len(again["dice"]) == trainer.task.labels


def record_of(entry):
    training = entry["training"]
    return training["validation_negatives"], training["validation_false_alarms"]


def test_progress_reaches_the_end(exported):
    fractions = [report.fraction for report in exported[2]]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


def test_held_out_negatives_come_first(tmp_path):
    trainer = trainer_for(tmp_path)
    assert [case.name for case in negatives(trainer)] == ["negative-0"]  # there are no others
    case = trainer.pack.part("train")[0]
    held_out = PackedCase("other", case.image, case.label)
    trainer.pack = Pack({**trainer.pack.parts, "negative-validation": (held_out,)})
    assert [case.name for case in negatives(trainer)] == ["other"]


def case_of(voxels):
    label = torch.zeros((1, 20, 20), dtype=torch.uint8)
    label.view(-1)[:voxels] = 1
    return PackedCase("a", label[None].half(), label)


def evidence(score, voxels=100):
    return PresenceEvidence(voxels, voxels * score)


def test_limits_part_the_images_with_the_object_from_those_without():
    cases = [case_of(voxels) for voxels in (60, 40, 0)]
    positive = [evidence(score) for score in np.linspace(0.85, 0.95, 21)]
    negative = [evidence(score) for score in np.linspace(0.0, 0.6, 101)]
    limits = presence_limits(cases, positive, negative)
    assert limits.smallest == 8
    alarms = sum(one.score(limits) >= limits.absent for one in negative)
    assert alarms <= 5
    assert sum(one.score(limits) >= limits.absent for one in positive) == 21
    assert limits.absent < limits.found < 1
    assert sum(one.score(limits) >= limits.found for one in positive) >= 18


def test_limits_never_turn_away_most_true_images():
    positive = [evidence(0.6)] * 10
    limits = presence_limits([case_of(50)], positive, [evidence(0.95)] * 10)
    assert limits.absent < 0.6  # rather false alarms than no outlines
    assert limits.absent == pytest.approx(0.54)


def test_limits_without_any_case_are_usable():
    limits = presence_limits([], [], [])
    assert limits == PresenceLimits(0.3, 0.9, 1.0)
