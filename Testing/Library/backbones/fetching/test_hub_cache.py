"""What another program fetched from the hub is checked, asked about, and then taken over."""

import hashlib
import os
import shutil

import pytest

from DiffusionSegLib.backbones.fetching import hub_cache
from DiffusionSegLib.backbones.fetching.bundle_export import export_bundle
from DiffusionSegLib.backbones.fetching.bundle_import import import_bundle, open_bundle
from DiffusionSegLib.backbones.fetching.download import download_model
from DiffusionSegLib.backbones.fetching.first_use import make_ready
from DiffusionSegLib.backbones.fetching.hub_copy import read_copy
from DiffusionSegLib.backbones.fetching.hub_parts import HubPart, came_from, hub_parts, is_here
from DiffusionSegLib.backbones.fetching.hub_sums import Announced
from DiffusionSegLib.backbones.fetching.hub_transfer import fetch_part
from DiffusionSegLib.backbones.fetching.licences import accept_licence
from DiffusionSegLib.backbones.fetching.standing import check_ready, standing
from DiffusionSegLib.backbones.latent_diffusion.hub import find_model, wanted_files
from DiffusionSegLib.backbones.pins import Pin
from DiffusionSegLib.backbones.store import file_sha256
from DiffusionSegLib.cli import exit_codes
from DiffusionSegLib.cli.main import main
from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.progress import Progress
from Testing.Library.backbones.fetching.test_hub_transfer import PIPELINE, STEM, card
from Testing.Library.backbones.fetching.toy_cards import content, write
from Testing.Library.backbones.fetching.toy_hub import COMMIT, ToyHub

huggingface_hub = pytest.importorskip("huggingface_hub", reason="comes with diffusers")

QUIET = Progress.silent()
UNET = f"unet/{STEM}.safetensors"
PART = HubPart("pipeline", "org/one", ("org/two",))


@pytest.fixture
def hub(monkeypatch):
    one = ToyHub()
    files = {**PIPELINE, "tokenizer/merges.txt": b"words"}
    one.repositories["org/one"] = files
    one.repositories["org/two"] = dict(files)
    monkeypatch.setenv("HF_ENDPOINT", one.address)
    yield one
    one.close()


@pytest.fixture
def cached(hub, tmp_path):
    """The hub's own cache after another program fetched the pipeline; the hub is gone then."""
    for path in wanted_files(list(hub.repositories["org/one"])):
        huggingface_hub.hf_hub_download(
            "org/one", path, cache_dir=tmp_path / "hf-cache", endpoint=hub.address, token=False
        )
    hub.seen.clear()
    hub.repositories.clear()
    return hub_cache.find_snapshot("org/one", "").folder


def sha256_of(path):
    return hashlib.sha256(PIPELINE[path]).hexdigest()


def pinned(**sums):
    return HubPart("pipeline", "org/one", ("org/two",), {"org/one": Pin("", sums)})


def test_it_is_used_only_after_its_licence_was_accepted(cached, hub, own_folder):
    entry = write(own_folder, card())
    assert standing(entry).words == (
        "needs download (its files seem to be in the cache of the Hugging Face hub)"
    )
    with pytest.raises(ModelError, match="has to be accepted once"):
        check_ready(entry)
    with pytest.raises(ModelError, match="has to be accepted once"):
        make_ready(entry, "cpu", QUIET)
    assert read_copy("org/one") is None
    accept_licence(entry)
    make_ready(entry, "cpu", QUIET)
    assert standing(entry).state == "ready" and hub.fetched() == []
    copy = read_copy("org/one")
    assert (copy.came_from, copy.revision) == ("org/one", COMMIT)
    assert {one.checked for one in copy.files} == {"hub"}
    assert came_from(entry) == f"org/one@{COMMIT[:12]}"
    for one in copy.files:
        assert (copy.folder / one.path).read_bytes() == (cached / one.path).read_bytes()


def test_it_stays_when_the_cache_is_emptied_and_costs_no_second_room(cached):
    copy = fetch_part(PART, False, QUIET)
    weights = copy.folder / UNET
    assert os.path.samefile(weights, cached / UNET)
    shutil.rmtree(cached.parent.parent)
    assert find_model("org/one") == copy.folder and weights.read_bytes() == PIPELINE[UNET]


def test_on_another_disk_it_is_copied(cached, monkeypatch):
    def refuse(origin, target):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(hub_cache.os, "link", refuse)
    copy = fetch_part(PART, False, QUIET)
    assert not os.path.samefile(copy.folder / UNET, cached / UNET)
    assert (copy.folder / UNET).read_bytes() == PIPELINE[UNET]
    assert not list(copy.folder.rglob("*.taken"))


@pytest.mark.parametrize("path", [UNET, "unet/config.json"])
def test_a_damaged_file_is_never_taken_over(cached, hub, path):
    file = (cached / path).resolve()
    good = file.read_bytes()
    file.write_bytes(good[:-1] + b"?")
    with pytest.raises(ModelError, match="could not be fetched"):
        fetch_part(PART, False, QUIET)
    assert not is_here(PART)
    hub.repositories["org/one"] = dict(PIPELINE)
    copy = fetch_part(PART, False, QUIET)
    assert (copy.folder / path).read_bytes() == PIPELINE[path]
    # Only what was damaged or was not there is fetched.
    assert [name for name in hub.fetched() if name.endswith(path)]
    assert len([name for name in hub.fetched() if name.endswith(".safetensors")]) == (path == UNET)


def test_another_file_than_the_card_s_is_not_taken_over(cached, hub):
    wrong = pinned(**{UNET: "0" * 64})
    with pytest.raises(ModelError, match="could not be fetched"):
        fetch_part(wrong, False, QUIET)
    assert not is_here(wrong)
    right = pinned(**{UNET: sha256_of(UNET)})
    copy = fetch_part(right, False, QUIET)
    assert {one.path for one in copy.files if one.checked == "card"} == {UNET}
    assert is_here(right) and not is_here(wrong)
    with pytest.raises(ModelError, match="another one than the model's card lists"):
        wrong.check(copy)


def test_another_revision_than_the_card_s_is_not_taken_over(cached):
    part = HubPart("pipeline", "org/one", (), {"org/one": Pin("v2")})
    with pytest.raises(ModelError, match="could not be fetched"):
        fetch_part(part, False, QUIET)
    same = HubPart("pipeline", "org/one", (), {"org/one": Pin(COMMIT)})
    assert fetch_part(same, False, QUIET).revision == COMMIT


def test_a_part_of_a_model_is_not_taken_for_the_whole(cached):
    for path in (cached / "vae").iterdir():
        path.unlink()
    with pytest.raises(ModelError, match="could not be fetched"):
        fetch_part(PART, False, QUIET)


def test_files_of_which_nobody_tells_a_sum_are_taken_only_without_the_hub(cached, hub):
    """A cache without links, as on Windows, or behind a mirror that names its files otherwise."""
    for path in [one for one in cached.rglob("*") if one.is_symlink()]:
        data = path.read_bytes()
        path.unlink()
        path.write_bytes(data)
    kept = dict(PIPELINE)
    hub.repositories["org/one"] = {**kept, UNET: content(77, 60_000)}
    copy = fetch_part(PART, False, QUIET)
    assert (copy.folder / UNET).read_bytes() == content(77, 60_000)
    shutil.rmtree(copy.folder)
    hub.repositories.clear()
    copy = fetch_part(PART, False, QUIET)
    assert (copy.folder / UNET).read_bytes() == PIPELINE[UNET]
    assert {one.checked for one in copy.files} == {""}


def test_verify_checks_it_later_and_says_whose_sums_it_had(cached, own_folder, capsys):
    entry = write(own_folder, card(pins={"org/one": {"sha256": {UNET: sha256_of(UNET)}}}))
    assert main(["models", "download", "cdal/sd", "--accept-licence", "--quiet"]) == exit_codes.OK
    assert main(["models", "verify", "cdal/sd"]) == exit_codes.OK
    told = capsys.readouterr().out
    assert (
        f"cdal/sd: whole (from org/one@{COMMIT[:12]}; files: 1 with the sha256 of the card" in told
    )
    assert "with the hub's sum" in told
    weights = read_copy("org/one").folder / UNET
    weights.unlink()
    weights.write_bytes(PIPELINE[UNET][:-1] + b"?")
    assert main(["models", "verify", "cdal/sd"]) == exit_codes.BAD_INPUT
    assert "was changed" in capsys.readouterr().out
    changed = card(pins={"org/one": {"sha256": {UNET: "0" * 64}}})
    entry = write(own_folder, changed)
    assert main(["models", "verify", "cdal/sd"]) == exit_codes.BAD_INPUT
    assert "is another one than the model's card lists for org/one" in capsys.readouterr().out
    assert standing(entry).state == "needs download"


def test_a_licence_is_asked_for_a_model_whose_files_are_there_for_another(
    cached, own_folder, capsys
):
    first, twin = write(own_folder, card()), write(own_folder, card("twin"))
    accept_licence(first)
    assert download_model(first, QUIET) == 1
    assert main(["models", "download", "twin", "--quiet"]) == exit_codes.BAD_INPUT
    assert "--accept-licence" in capsys.readouterr().err
    assert main(["models", "download", "twin", "--accept-licence"]) == exit_codes.OK
    assert "is here and whole" in capsys.readouterr().out
    check_ready(twin)


SUMS = {UNET: sha256_of(UNET)}


class TestSources:
    """Alternatives that serve other bytes than the card's."""

    def test_one_that_announces_another_file_is_not_even_asked_for_it(self, hub):
        hub.repositories["org/one"][UNET] = content(55, 60_000)
        copy = fetch_part(pinned(**SUMS), False, QUIET)
        assert copy.came_from == "org/two" and (copy.folder / UNET).read_bytes() == PIPELINE[UNET]
        assert not [path for path in hub.fetched() if "org/one" in path and path.endswith(UNET)]

    def test_one_that_lies_is_found_out_by_the_card(self, hub):
        """It sends and announces the same wrong bytes, but without a sha256."""
        hub.repositories["org/one"][UNET] = content(55, 60_000)
        hub.silent = {"org/one"}
        copy = fetch_part(pinned(**SUMS), False, QUIET)
        assert copy.came_from == "org/two" and (copy.folder / UNET).read_bytes() == PIPELINE[UNET]

    def test_when_all_serve_another_file_it_is_said(self, hub):
        for name in ("org/one", "org/two"):
            hub.repositories[name][UNET] = content(55, 60_000)
        words = rf"org/one: its {UNET} is another file than the card's .*; org/two: its {UNET}"
        with pytest.raises(ModelError, match=words):
            fetch_part(pinned(**SUMS), False, QUIET)
        assert not is_here(pinned(**SUMS))

    def test_a_card_that_was_corrected_brings_the_right_file(self, hub, own_folder):
        hub.repositories["org/one"][UNET] = content(55, 60_000)
        entry = write(own_folder, card())
        accept_licence(entry)
        download_model(entry, QUIET)
        assert hub_parts(entry) == (HubPart("pipeline", "org/one"),)
        sources = [{"hub": "org/one"}, {"hub": "org/two"}]
        entry = write(own_folder, card(sources=sources, pins={"org/one": {"sha256": SUMS}}))
        assert standing(entry).state == "needs download"
        assert download_model(entry, QUIET) == 1
        copy = read_copy("org/one")
        assert copy.came_from == "org/two" and file_sha256(copy.folder / UNET) == SUMS[UNET]

    def test_a_bundle_with_another_file_than_the_card_s_is_refused(
        self, hub, own_folder, tmp_path, monkeypatch
    ):
        hub.repositories["org/one"][UNET] = content(55, 60_000)
        entry = write(own_folder, card())
        accept_licence(entry)
        download_model(entry, QUIET)
        export_bundle([entry], tmp_path / "b.zip", QUIET)
        accept_licence(open_bundle(tmp_path / "b.zip").entries[0])
        import_bundle(open_bundle(tmp_path / "b.zip"), QUIET)
        entry = write(own_folder, card(pins={"org/one": {"sha256": SUMS}}))
        with pytest.raises(ModelError, match="models download"):
            export_bundle([entry], tmp_path / "c.zip", QUIET)

    def test_a_hub_cannot_name_files_outside(self, hub, tmp_path):
        victim = tmp_path / "models" / "hub" / "victim.json"
        victim.parent.mkdir(parents=True)
        victim.write_text("mine")
        hub.repositories["org/one"]["unet/../../victim.json"] = b"{}"
        copy = fetch_part(PART, False, QUIET)
        assert victim.read_text() == "mine" and "unet/../../victim.json" not in copy.listing


@pytest.mark.parametrize("text", ["../../..", "a/b", "", "..", "x y"])
def test_a_reference_that_leads_outside_is_no_snapshot(tmp_path, text):
    room = tmp_path / "hf-cache" / "models--org--one"
    (room / "refs").mkdir(parents=True)
    (room / "snapshots" / "a" / "b").mkdir(parents=True)
    (room / "refs" / "main").write_text(text)
    assert hub_cache.find_snapshot("org/one", "") is None
    assert hub_cache.find_snapshot("org/none", "v1") is None


def test_where_the_library_s_cache_is(monkeypatch, tmp_path):
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    told = [str(hub_cache._cache())]
    for name in ("XDG_CACHE_HOME", "HF_HOME", "HUGGINGFACE_HUB_CACHE", "HF_HUB_CACHE"):
        monkeypatch.setenv(name, str(tmp_path / name))
        told.append(str(hub_cache._cache()))
    assert told[0] == os.path.expanduser("~/.cache/huggingface/hub")
    assert told[1:] == [
        str(tmp_path / "XDG_CACHE_HOME" / "huggingface" / "hub"), str(tmp_path / "HF_HOME" / "hub"),
        str(tmp_path / "HUGGINGFACE_HUB_CACHE"), str(tmp_path / "HF_HUB_CACHE"),
    ]  # fmt: skip


def test_sums_that_contradict_fit_no_file(tmp_path):
    (tmp_path / "w").write_bytes(b"")
    empty = file_sha256(tmp_path / "w")
    assert Announced("w", 0, empty, "", empty).good_sha256(tmp_path / "w", QUIET) == empty
    for one in (Announced("w", 0, empty, "", "0" * 64), Announced("w", 0, "0" * 64, "", empty)):
        assert one.contradiction and one.good_sha256(tmp_path / "w", QUIET) is None
    assert Announced("w", 1).good_sha256(tmp_path / "w", QUIET) is None
    assert Announced("w", 0).good_sha256(tmp_path / "none", QUIET) is None
