"""The benchmark of the public models: its random networks are as large as the published ones."""

import json
from dataclasses import replace

import pytest
import torch
from torch import nn

from DiffusionSegLib.backbones.costs import Costs
from DiffusionSegLib.backbones.store import ModelStore
from Testing.Benchmarks import public_costs as benchmark
from Testing.Benchmarks import random_models
from Testing.Benchmarks.estimates_cases import EstimateCase
from Testing.Benchmarks.random_models import parts_of

pytest.importorskip("monai", reason="MONAI is part of the hub extra")
pytest.importorskip("diffusers", reason="diffusers is part of the hub extra")
# The files of the rectified flow hold more than the network.
WHOLE = ["adzus/stable-diffusion-1-5", "adzus/stable-diffusion-2-1-base", "adzus/prompt2medimage",
         "adzus/cxr-bert-ldm", "adzus/monai-cxr-ldm", "diffugts/maisi-ddpm-ct"]  # fmt: skip
COSTS = Costs(200, 0.002, 1.0, {"pixel": 1.0}, {"pixel": 2.0, "run": 500.0})


@pytest.mark.parametrize("name", WHOLE)
def test_they_are_as_large_as_the_published_files(name):
    entry = ModelStore().find(*name.split("/"))
    count = sum(one.numel() for part in parts_of(name).values() for one in part.parameters())
    assert 4 * count == pytest.approx(entry.needs.disk_bytes, rel=0.02)


def test_every_public_card_is_measured_once():
    models = [model for build in benchmark.BUILDS.values() for model in build.models]
    assert len(set(models)) == len(models)
    asked = [entry.id for method in ("adzus", "diffugts") for entry in ModelStore().list(method)
             if entry.settings["backbone"]["kind"] != "compact"]  # fmt: skip
    assert sorted(models) == sorted(asked)
    for build in benchmark.BUILDS.values():
        assert any(case.fitted for case in build.cases) or build.like in models


def test_random_numbers_keep_signals_and_norms_do_nothing():
    with torch.device("meta"):
        network = nn.Sequential(nn.Linear(400, 300), nn.LayerNorm(300), nn.Linear(300, 200))
    filled = random_models._filled(network, 0)
    assert torch.equal(filled[1].weight, torch.ones(300)) and not filled[1].bias.any()
    given = torch.randn(64, 400, generator=torch.Generator().manual_seed(1))
    assert float(filled(given).std()) == pytest.approx(1.0, rel=0.1)
    before = filled[0].weight.clone()
    assert not torch.equal(before, random_models._filled(filled, 1)[0].weight)


def test_weights_that_are_mapped_belong_to_the_network():
    found = benchmark.with_weights(COSTS, 400)
    assert found.network_bytes == 400 and found.sizes == {"pixel": 2.0, "run": 300.0}
    assert found.half_network_bytes == 200
    few = benchmark.with_weights(replace(COSTS, sizes={"run": 50.0}), 400)
    assert few.network_bytes == 250 and few.sizes == {}
    loaded = benchmark.with_weights(replace(COSTS, network_bytes=900), 400)
    assert loaded.network_bytes == 900 and loaded.sizes["run"] == 500.0


def test_networks_of_other_size_take_so_much_more():
    found = benchmark.with_other_weights(replace(COSTS, half_network_bytes=100), -40)
    assert (found.network_bytes, found.half_network_bytes) == (160, 80)
    assert found.sizes == COSTS.sizes and found.seconds == COSTS.seconds


def test_checkpoints_that_are_read_whole_count_while_a_model_is_opened():
    mapped = benchmark.loading_bytes("adzus/stable-diffusion-1-5", COSTS)
    assert mapped == COSTS.network_bytes
    flow = ModelStore().find("diffugts", "maisi-rflow-ct")
    network = 4 * (180_500_868 + 20_944_897)
    found = benchmark.loading_bytes(flow.id, COSTS)
    assert found == COSTS.network_bytes + flow.needs.disk_bytes - network


def measured(wide, seconds, size):
    units = {"pixel": float(wide), "run": 1.0, "held pair": 9.0 * wide}
    part = {"times": {"pixel": float(wide), "marks": 5.0}, "sizes": units}
    forecast = {"embed": {"times": {}, "sizes": {}}, "propose": part, "again": part,
                "samples": 1, "steps": 0}  # fmt: skip
    return {"calibration": 0.002, "load_bytes": 200, "bytes": size, "forecast": forecast,
            "seconds": {"load": 1.0, "first": 1.0 + seconds, "again": 0.0},
            "done": {}, "again": {}, "plan": [None, None, ""]}  # fmt: skip


def test_what_was_not_measured_is_taken_from_a_build_beside_it(monkeypatch):
    monkeypatch.setattr(benchmark, "weight_bytes", lambda model: 400 if model == "m/a" else 300)
    times, held = {"pixel": 9.0, "words": 4.0, "marks": 6.0}, {"run": 7.0, "held pair": 5.0}
    base = replace(COSTS, seconds=times, sizes=held, reference_s=0.004)
    monkeypatch.setattr(benchmark, "costs_of", lambda model: base)
    case = EstimateCase("m/a", "", "", fitted=True)
    build = benchmark.Build(("m/a",), (case, case), "m/b", {"held canvas": 3.0})
    found = [measured(10, 20.0, 720), measured(20, 40.0, 740)]
    costs = benchmark._fitted(build, build.cases, found)
    assert costs.seconds == pytest.approx({"pixel": 2.0, "words": 2.0, "marks": 3.0})
    assert costs.network_bytes == 400
    assert costs.sizes == pytest.approx({"pixel": 2.0, "run": 300, "held canvas": 3.0})
    assert benchmark.least_bytes(costs, found) == 720
    checked = benchmark.Build(("m/a",), (replace(case, fitted=False),), "m/b")
    costs = benchmark._fitted(checked, checked.cases, found[:1])
    assert costs == benchmark.with_other_weights(base, 100)


def test_a_folder_is_as_a_download_and_its_card_names_it(tmp_path, monkeypatch):
    small = {**random_models._UNET_1, "block_out_channels": (32, 32, 32, 32)}
    monkeypatch.setattr(random_models, "_UNET_1", {**small, "cross_attention_dim": 32})
    tiny = {**random_models._VAE, "block_out_channels": (32, 32, 32, 32)}
    monkeypatch.setattr(random_models, "_VAE", tiny)
    text = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1,
            "num_attention_heads": 2, "vocab_size": 100}  # fmt: skip
    monkeypatch.setattr(random_models, "_CLIP_L", {**random_models._CLIP_L, **text})
    place = random_models.write_random("adzus/stable-diffusion-1-5", tmp_path)
    card = json.loads((place / "model.json").read_text())
    assert card["settings"]["backbone"]["source"] == random_models.BACKBONE
    assert "costs" not in card and "pins" not in card
    case = EstimateCase(
        f"adzus/{place}", "dsb2018_nuclei/images/fluorescence_013.png",
        "dsb2018_nuclei/labels/fluorescence_013.png", "click",
    )  # fmt: skip
    (found,) = benchmark.all_measured([case], None)
    assert found["done"]["passes"] == 1.0 and found["bytes"] > found["load_bytes"] > 0
