"""Bundles: made whole, taken whole, and never over something good with something bad."""

import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from DiffusionSegLib.backbones.fetching import bundle_import, space
from DiffusionSegLib.backbones.fetching.bundle_export import export_bundle, with_used_models
from DiffusionSegLib.backbones.fetching.bundle_import import import_bundle, open_bundle
from DiffusionSegLib.backbones.fetching.bundle_index import INDEX_NAME
from DiffusionSegLib.backbones.fetching.hub_copy import (
    CopiedFile,
    HubCopy,
    read_copy,
    write_copy,
)
from DiffusionSegLib.backbones.fetching.licences import accept_licence
from DiffusionSegLib.backbones.fetching.standing import standing
from DiffusionSegLib.backbones.store import ModelStore, file_sha256
from DiffusionSegLib.errors import Cancelled, ModelError, OutputError
from DiffusionSegLib.progress import Progress
from Testing.Library.backbones.fetching.toy_cards import (
    card_of,
    content,
    environment,
    file_of,
    write,
)
from Testing.Project.source import ROOT

WEIGHTS, NOTES = content(0, 90_000), b"some words"
QUIET = Progress.silent()


def model(models, name="toy", data=WEIGHTS, **more):
    """A whole model with two files and a card for people."""
    files = [file_of("weights.bin", data), file_of("more/notes.txt", NOTES)]
    entry = write(models, card_of(name, files=files, **more))
    (entry.folder / "weights.bin").write_bytes(data)
    (entry.folder / "more").mkdir(exist_ok=True)
    (entry.folder / "more" / "notes.txt").write_bytes(NOTES)
    (entry.folder / "CARD.md").write_text("# Toy")
    return entry


def hub_copy(models, source="org/one", revision="1"):
    """A repository as a download leaves it."""
    folder = models / "hub" / source.replace("/", "--")
    files = {"unet/config.json": b"{}", "unet/w.safetensors": content(7, 5_000)}
    told = []
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
        stat = (folder / path).stat()
        told.append(CopiedFile(path, len(data), file_sha256(folder / path), stat.st_mtime_ns))
    copy = HubCopy(source, source, revision, tuple(files), ("pipeline",), tuple(told), folder)
    write_copy(copy)
    return copy


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    """A bundle of a model, and an empty folder of models to take it into."""
    with monkeypatch.context() as patch:
        patch.setenv("DIFFUSIONSEG_MODELS", str(tmp_path / "there"))
        export_bundle([model(tmp_path / "there")], tmp_path / "b.zip", QUIET)
    return tmp_path / "b.zip"


def taken(path, **options):
    opened = open_bundle(path)
    for entry in opened.entries:
        accept_licence(entry)
    return import_bundle(opened, QUIET, **options)


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(".lock") and path.name != "licences.json"
    }


def rewritten(path, change, index_too=True):
    """The bundle with other members: change(members by name) -> members; by default its list is
    made to fit."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    index = json.loads(members.pop(INDEX_NAME))
    members = change(members)
    if index_too:
        index["members"] = [
            {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in members.items()
        ]
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
        archive.writestr(INDEX_NAME, json.dumps(index))


def test_what_goes_in_comes_out(bundle, own_folder, tmp_path):
    done = taken(bundle)
    assert (done.models, done.written, done.wheels) == (["cdal/toy"], 4, None)
    assert tree(own_folder) == tree(tmp_path / "there")
    ModelStore().verify(ModelStore().find("cdal", "toy"))


def test_the_same_content_makes_the_same_bundle(bundle, tmp_path):
    entry = ModelStore([tmp_path / "there"]).find("cdal", "toy")
    export_bundle([entry], tmp_path / "again.zip", QUIET)
    assert (tmp_path / "again.zip").read_bytes() == bundle.read_bytes()


def test_twice_changes_nothing(bundle, own_folder):
    taken(bundle)
    times = {path: path.stat().st_mtime_ns for path in (own_folder / "cdal").rglob("*")}
    assert taken(bundle).written == 0
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_a_licence_is_accepted_first(bundle, own_folder):
    with pytest.raises(ModelError, match="accepted once"):
        import_bundle(open_bundle(bundle), QUIET)
    assert not own_folder.exists()


@pytest.mark.parametrize("loss", ["truncated", "damaged", "missing"])
def test_what_was_lost_is_brought_back(bundle, own_folder, loss):
    taken(bundle)
    weights = own_folder / "cdal" / "toy" / "weights.bin"
    if loss == "missing":
        weights.unlink()
    else:
        weights.write_bytes(WEIGHTS[:-1] + (b"" if loss == "truncated" else b"?"))
    assert taken(bundle).written == 1
    assert weights.read_bytes() == WEIGHTS


def test_a_stopped_import_lists_no_half_model_and_is_gone_on_with(bundle, own_folder, monkeypatch):
    asked = threading.Event()
    opened = open_bundle(bundle)
    accept_licence(opened.entries[0])

    def listen(report):
        if "notes" in report.stage:
            asked.set()

    with pytest.raises(Cancelled):
        import_bundle(opened, Progress(listen, asked.is_set))
    assert [one.id for one in ModelStore([own_folder]).list()] == []
    assert taken(bundle).written in (2, 3)
    ModelStore().verify(ModelStore().find("cdal", "toy"))


def test_a_partial_file_is_gone_on_with_and_a_wrong_one_is_not_believed(bundle, own_folder):
    opened = open_bundle(bundle)
    weights = next(part for part in opened.entries[0].files if part.path == "weights.bin")
    for start in (WEIGHTS[:50_000], b"?" * 50_000, b"?" * 200_000):
        place = own_folder / "cdal" / "toy"
        place.mkdir(parents=True, exist_ok=True)
        (place / f".weights.bin.{weights.sha256[:16]}.part").write_bytes(start)
        (place / "weights.bin").unlink(missing_ok=True)
        taken(bundle)
        assert (place / "weights.bin").read_bytes() == WEIGHTS
        assert not list(place.glob(".*.part"))


@given(where=st.integers(0, 10**9), bit=st.integers(0, 7))
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_one_wrong_bit_anywhere_never_damages_what_is_here(bundle, own_folder, where, bit):
    """Either it is noticed, or it lies where nothing is read."""
    whole = bundle.read_bytes()
    taken(bundle)
    (own_folder / "cdal" / "toy" / "weights.bin").unlink()
    expected = tree(own_folder)
    spoiled = bytearray(whole)
    spoiled[where % len(whole)] ^= 1 << bit
    copy = bundle.with_name("spoiled.zip")
    copy.write_bytes(spoiled)
    try:
        taken(copy)
    except ModelError:
        parts = {name for name in tree(own_folder) if name.endswith(".part")}
        assert {k: v for k, v in tree(own_folder).items() if k not in parts} == expected
    else:
        assert (own_folder / "cdal" / "toy" / "weights.bin").read_bytes() == WEIGHTS
    taken(bundle)
    ModelStore().verify(ModelStore().find("cdal", "toy"))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_bundle_that_is_cut_off_is_refused(bundle, own_folder, share):
    bundle.write_bytes(bundle.read_bytes()[: int(bundle.stat().st_size * share)])
    with pytest.raises(ModelError, match="cut off or no bundle"):
        taken(bundle)
    assert not (own_folder / "cdal").exists()


@pytest.mark.parametrize(
    "name",
    ["../evil", "models/../../evil", "/etc/evil", "models/cdal/toy/../../../../evil", "C:/evil",
     "models\\..\\evil", "models//evil", "models/cdal/toy/evil.", "hub/../evil", "licences.json",
     "models/cdal/toy/con:stream", "other/evil", "models/ evil", "models/cdal/toy/NUL",
     "models/cdal/aux.txt/x", "hub/Com1/evil"],
)  # fmt: skip
def test_names_that_lead_outside_are_refused(bundle, own_folder, tmp_path, name):
    before = set(tmp_path.rglob("*"))
    rewritten(bundle, lambda members: {**members, name: b"evil"})
    with pytest.raises(ModelError, match="outside the folder of models"):
        taken(bundle)
    assert set(tmp_path.rglob("*")) == before


def test_a_link_in_the_zip_becomes_a_plain_file_or_nothing(bundle, own_folder, tmp_path):
    def link(members):
        return {**members, "models/cdal/toy/link": b"/etc/passwd"}

    rewritten(bundle, link)
    with zipfile.ZipFile(bundle, "a") as archive:
        for one in archive.infolist():
            one.external_attr = 0o120777 << 16
        archive.comment = b"rewrite"
    taken(bundle)
    assert not any(path.is_symlink() for path in own_folder.rglob("*"))


def test_a_list_that_does_not_fit_is_refused(bundle):
    rewritten(bundle, lambda members: {**members, "models/cdal/toy/x": b""}, index_too=False)
    with pytest.raises(ModelError, match="differ, for example in 'models/cdal/toy/x'"):
        open_bundle(bundle)


def test_members_that_were_compressed_again_are_refused(bundle):
    """What unpacks them may fail in ways of its own, or unpack without end."""
    with zipfile.ZipFile(bundle) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(ModelError, match="compressed"):
        open_bundle(bundle)


def test_a_list_and_a_card_that_disagree_are_refused(bundle):
    """Else a bundle could put other weights under a card's name."""
    name = "models/cdal/toy/weights.bin"
    rewritten(bundle, lambda members: {**members, name: b"other"})
    with pytest.raises(ModelError, match="not in it as the model's card describes it"):
        open_bundle(bundle)


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b'{"format": 2}', b"\xff", b"null"])
def test_a_zip_that_is_no_bundle_is_refused(tmp_path, text):
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr(INDEX_NAME, text)
    with pytest.raises(ModelError, match="bundle"):
        open_bundle(tmp_path / "z.zip")
    with pytest.raises(ModelError, match="There is no bundle"):
        open_bundle(tmp_path / "none.zip")


def test_another_model_of_the_same_id_that_is_whole_stays_unless_told(bundle, own_folder):
    entry = model(own_folder, data=content(5, 100))
    before = tree(own_folder)
    with pytest.raises(ModelError, match=r"another model cdal/toy .* is whole.*--replace"):
        taken(bundle)
    assert tree(own_folder) == before
    taken(bundle, replace=True)
    assert (entry.folder / "weights.bin").read_bytes() == WEIGHTS
    ModelStore().verify(ModelStore().find("cdal", "toy"))


def test_a_damaged_model_is_not_exported(own_folder, tmp_path):
    entry = model(own_folder)
    (tmp_path / "b.zip").write_bytes(b"an older bundle")
    for spoil in (lambda path: path.write_bytes(WEIGHTS[:-1] + b"?"), lambda path: path.unlink()):
        spoil(entry.folder / "weights.bin")
        with pytest.raises(ModelError, match="no bundle was written"):
            export_bundle([entry], tmp_path / "b.zip", QUIET)
        assert (tmp_path / "b.zip").read_bytes() == b"an older bundle"
    assert [path.name for path in tmp_path.glob("*.tmp")] == []


def test_a_stopped_export_leaves_what_was_there(own_folder, tmp_path):
    entry = model(own_folder, data=content(0, 3_000_000))
    (tmp_path / "b.zip").write_bytes(b"an older bundle")
    asked = threading.Event()
    progress = Progress(lambda report: asked.set(), asked.is_set)
    with pytest.raises(Cancelled):
        export_bundle([entry], tmp_path / "b.zip", progress)
    assert (tmp_path / "b.zip").read_bytes() == b"an older bundle"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.zip", "models"]


def test_an_export_onto_a_full_disk_says_what_helps(own_folder, tmp_path, monkeypatch):
    entry = model(own_folder)
    monkeypatch.setattr(space.shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(1, 1, 0))
    with pytest.raises(OutputError, match=r"and 0 bytes are free.*the bundle to another disk\.$"):
        export_bundle([entry], tmp_path / "b.zip", QUIET)


@pytest.mark.skipif(os.name != "posix", reason="such a limit is known to Linux and macOS only")
def test_an_import_that_finds_the_disk_full(bundle, own_folder, tmp_path):
    """Of a process whose files may not grow: as a full disk, and then with room again."""
    code = (
        "import resource, sys; from DiffusionSegLib.cli.main import main;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000));"
        "sys.exit(main(['models', 'import', sys.argv[1], '--accept-licence', '--quiet']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(bundle)], env=environment(own_folder), cwd=tmp_path,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2 and "the disk is full" in done.stderr, done.stderr
    assert ModelStore([own_folder]).list() == []
    taken(bundle)
    ModelStore().verify(ModelStore().find("cdal", "toy"))


def test_a_bundled_model_is_taken_from_the_program(own_folder, tmp_path):
    store = ModelStore([ROOT / "Resources" / "Models"])
    entries = with_used_models([store.find("adzus", "compact")], store)
    assert [entry.id for entry in entries] == ["adzus/compact", "backbone/compact"]
    export_bundle(entries[:1], tmp_path / "b.zip", QUIET)
    done = taken(tmp_path / "b.zip")
    assert done.written == 0 and not (own_folder / "adzus").exists()


SETTINGS = {"backbone": {"kind": "pipeline", "source": "org/one"}}


class TestRepositories:
    @pytest.fixture
    def bundle(self, tmp_path, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setenv("DIFFUSIONSEG_MODELS", str(tmp_path / "there"))
            entry = write(tmp_path / "there", card_of("sd", settings=SETTINGS))
            with pytest.raises(ModelError, match="models download cdal/sd"):
                export_bundle([entry], tmp_path / "b.zip", QUIET)
            hub_copy(tmp_path / "there")
            export_bundle([entry], tmp_path / "b.zip", QUIET)
        return tmp_path / "b.zip"

    def test_they_come_along_and_are_known_afterwards(self, bundle, own_folder):
        taken(bundle)
        copy = read_copy("org/one")
        copy.check(thorough=True)
        assert copy.uses == ("pipeline",) and copy.folder == own_folder / "hub" / "org--one"
        assert standing(ModelStore().find("cdal", "sd")).state == "ready"
        assert taken(bundle).written == 0

    def test_a_whole_one_of_another_revision_stays_unless_told(self, bundle, own_folder):
        here = hub_copy(own_folder, revision="2")
        here = dataclasses.replace(here, uses=("clip",))
        write_copy(here)
        with pytest.raises(ModelError, match=r"Another revision of org/one .* is whole"):
            taken(bundle)
        assert read_copy("org/one") == here
        taken(bundle, replace=True)
        assert read_copy("org/one").revision == "1"

    def test_an_index_in_the_bundle_is_not_believed(self, bundle, own_folder):
        told = {"source": "org/one", "came_from": "evil/one", "revision": "1", "listing": [],
                "uses": ["pipeline"], "files": []}  # fmt: skip
        name = "hub/org--one/diffusionseg-files.json"
        rewritten(bundle, lambda members: {**members, name: json.dumps(told).encode()})
        taken(bundle)
        copy = read_copy("org/one")
        assert copy.came_from == "org/one" and len(copy.files) == 2

    def test_a_damaged_one_is_mended(self, bundle, own_folder):
        taken(bundle)
        (own_folder / "hub" / "org--one" / "unet" / "w.safetensors").write_bytes(b"?")
        taken(bundle)
        read_copy("org/one").check(thorough=True)


def test_only_one_import_at_a_time(bundle, own_folder):
    """The second waits, and finds everything there."""
    opened, stages = open_bundle(bundle), []
    accept_licence(opened.entries[0])
    progress = Progress(lambda report: stages.append(report.stage))
    held, done = threading.Event(), threading.Event()

    def first():
        with bundle_import.one_at_a_time(own_folder / "import"):
            held.set()
            done.wait(30)

    other = threading.Thread(target=first)
    other.start()
    held.wait(30)
    threading.Timer(0.4, done.set).start()
    assert import_bundle(opened, progress).written == 4
    other.join()
    assert any("Waiting for another" in stage for stage in stages)


@pytest.mark.parametrize(("told", "words"), [(99, "newer version of this program"),
                                             ("1", "format '1' is not known here")])  # fmt: skip
def test_a_bundle_of_another_format_is_told_from_a_damaged_one(bundle, told, words):
    rewritten(bundle, lambda members: members)
    with zipfile.ZipFile(bundle) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    index = {**json.loads(members.pop(INDEX_NAME)), "format": told}
    with zipfile.ZipFile(bundle, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
        archive.writestr(INDEX_NAME, json.dumps(index))
    with pytest.raises(ModelError, match=words):
        open_bundle(bundle)


def test_a_bundle_of_a_version_that_knew_less_is_taken(bundle, own_folder):
    """Cards had neither pins nor costs, purposes nor needs."""

    def older(members):
        card = json.loads(members["models/cdal/toy/model.json"])
        kept = {
            name: value
            for name, value in card.items()
            if name not in ("pins", "costs", "purpose", "needs", "minimum", "sources")
        }
        return {**members, "models/cdal/toy/model.json": json.dumps(kept).encode()}

    rewritten(bundle, older)
    assert taken(bundle).models == ["cdal/toy"]
    ModelStore().verify(ModelStore().find("cdal", "toy"))


def test_where_case_does_not_count_another_model_is_not_written_over(bundle, own_folder):
    """On such a disk Toy and toy are one folder; here a link stands for it."""
    other = model(own_folder, "Toy")
    (own_folder / "cdal" / "toy").symlink_to(other.folder, target_is_directory=True)
    before = tree(own_folder)
    with pytest.raises(ModelError, match="There is another model cdal/toy"):
        taken(bundle)
    assert tree(own_folder) == before


def test_a_folder_is_no_bundle(tmp_path):
    with pytest.raises(ModelError, match="is a folder; name the bundle's zip"):
        open_bundle(tmp_path)
