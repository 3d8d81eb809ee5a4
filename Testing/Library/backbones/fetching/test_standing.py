"""What is said before a model is opened, and what a first use brings."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.backbones import store as store_module
from DiffusionSegLib.backbones.fetching import first_use, tokens
from DiffusionSegLib.backbones.fetching.first_use import make_ready
from DiffusionSegLib.backbones.fetching.licences import accept_licence, is_accepted
from DiffusionSegLib.backbones.fetching.lock import one_at_a_time
from DiffusionSegLib.backbones.fetching.space import shown_bytes
from DiffusionSegLib.backbones.fetching.standing import Standing, check_ready, standing
from DiffusionSegLib.backbones.places import hub_room, user_folder
from DiffusionSegLib.backbones.store import ModelStore, file_path
from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.progress import Progress
from Testing.Library.backbones.fetching.toy_cards import card_of, content, file_of, write

DATA = content(0, 10_000)


def test_the_folder_is_the_users_data_and_no_cache(monkeypatch):
    monkeypatch.delenv("DIFFUSIONSEG_MODELS")
    assert user_folder().parts[-2:] == ("DiffusionSeg", "models")
    assert "cache" not in str(user_folder()).lower()
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", "~/mine")
    assert user_folder().is_absolute() and user_folder().name == "mine"
    assert hub_room("a/b@v1").parts[-2:] == ("hub", "a--b--at--v1")


@pytest.mark.parametrize(
    ("version", "fits"),
    [("0.0.1", True), ("2.6", True), ("2.13", True), ("2.13.0", True), ("99", False)],
)
def test_versions_are_compared_as_numbers(own_folder, monkeypatch, version, fits):
    from importlib import metadata

    monkeypatch.setattr(metadata, "version", lambda name: "2.13.0+cpu")
    entry = write(own_folder, card_of(minimum={"torch": version}))
    if fits:
        check_ready(entry)
    else:
        with pytest.raises(ModelError, match=r"needs torch 99 or newer; found was 2\.13\.0"):
            check_ready(entry)


def test_this_programs_own_version_needs_no_installed_package(own_folder, monkeypatch):
    from importlib import metadata

    def none(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", none)
    check_ready(write(own_folder, card_of(minimum={"DiffusionSeg": "0.0.1"})))
    with pytest.raises(ModelError, match="needs DiffusionSeg 999 or newer"):
        check_ready(write(own_folder, card_of(minimum={"DiffusionSeg": "999"})))


def test_a_session_brings_its_model_and_says_so(own_folder, server, tmp_path):
    from Testing.Library.toy_model import smooth_image, toy_session, write_toy

    entry = write_toy(own_folder, "gray")
    card = json.loads((entry.folder / "model.json").read_text())
    weights = (entry.folder / "weights.safetensors").read_bytes()
    card["files"][0]["sources"] = [{"url": server.serve("/w", weights)}]
    entry = write(own_folder, card)
    (entry.folder / "weights.safetensors").unlink()
    image, stages = smooth_image(Geometry((1, 24, 24))), []
    with pytest.raises(ModelError, match="accepted once"):
        toy_session(own_folder, "gray").set_image(image)
    accept_licence(entry)
    session = toy_session(own_folder, "gray")
    session.set_image(image, progress=Progress(lambda report: stages.append(report.stage)))
    assert any("weights.safetensors" in stage and "of" in stage for stage in stages)
    proposal = session.propose()
    assert proposal.provenance.licence == "CC0-1.0" and len(server.seen) == 1


def test_a_package_that_is_missing_is_named(own_folder):
    entry = write(own_folder, card_of(minimum={"no-such-package": "1"}))
    with pytest.raises(ModelError, match=r"found was none.*pip install 'no-such-package>=1'"):
        check_ready(entry)


def test_a_first_use_downloads_what_the_user_agreed_to(own_folder, server):
    url = server.serve("/w", DATA)
    entry = write(own_folder, card_of(files=[file_of("w", DATA, sources=[{"url": url}])]))
    with pytest.raises(ModelError, match="accepted once"):
        make_ready(entry, "cpu", Progress.silent())
    assert server.seen == []
    accept_licence(entry)
    make_ready(entry, "cpu", Progress.silent())
    assert (entry.folder / "w").read_bytes() == DATA
    make_ready(entry, "cpu", Progress.silent())
    assert len(server.seen) == 1
    assert first_use.__doc__


def test_weights_of_a_shipped_card_go_to_the_users_folder(
    own_folder, server, tmp_path, monkeypatch
):
    """The program's own folder may belong to somebody else."""
    url = server.serve("/w", DATA)
    shipped = tmp_path / "shipped"
    entry = write(shipped, card_of(files=[file_of("w", DATA, sources=[{"url": url}])]))
    monkeypatch.setattr(store_module, "_bundled", lambda: [shipped])
    accept_licence(entry)
    make_ready(entry, "cpu", Progress.silent())
    assert file_path(entry, entry.files[0]) == own_folder / "cdal" / "toy" / "w"
    assert [path.name for path in entry.folder.iterdir()] == ["model.json"]
    store = ModelStore()
    store.verify(store.find("cdal", "toy"))
    assert [one.id for one in store.list()] == ["cdal/toy"]


def test_repositories_are_no_models(own_folder):
    place = own_folder / "hub" / "org--one"
    place.mkdir(parents=True)
    (place / "model.json").write_text("{}")
    assert ModelStore([own_folder]).survey().broken == []


def test_an_unreadable_record_of_licences_accepts_nothing(own_folder):
    entry = write(own_folder, card_of())
    for text in ("", "[]", "{", '{"cdal/toy": 1}', '{"cdal/toy": {}}'):
        (own_folder / "licences.json").write_text(text)
        assert not is_accepted(entry)
    accept_licence(entry)
    assert is_accepted(entry)


def test_a_lock_is_let_go_after_an_error(tmp_path):
    with pytest.raises(RuntimeError), one_at_a_time(tmp_path / "w"):
        raise RuntimeError
    with one_at_a_time(tmp_path / "w"), one_at_a_time(tmp_path / "other"):
        pass


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("https://models.org/w", "one"),
        ("https://MODELS.org:8443/w", "one"),
        ("http://models.org/w", None),  # in the open
        ("https://evil.models.org/w", None),
        ("https://models.org.evil.net/w", None),
        ("https://models.org@evil.net/w", None),
        ("http://localhost:1/w", "two"),
    ],
)
def test_a_token_is_for_its_host_alone(monkeypatch, url, token):
    monkeypatch.setenv("DIFFUSIONSEG_TOKENS", "models.org=one,localhost=two")
    monkeypatch.setattr(tokens, "_from_keyring", lambda name: None)
    assert tokens.url_token(url) == token


def test_tokens_come_from_the_keyring_where_there_is_one(monkeypatch):
    class Ring:
        class KeyringError(Exception):
            pass

        def __init__(self, broken=False):
            self.broken = broken

        def get_password(self, service, name):
            if self.broken:
                raise self.KeyringError
            return {("DiffusionSeg", "huggingface.co"): "hf", ("DiffusionSeg", "x.org"): "x"}.get(
                (service, name)
            )

    for ring, found in ((Ring(), ("hf", "x")), (Ring(broken=True), (None, None))):
        monkeypatch.setattr(tokens.importlib, "import_module", lambda name, ring=ring: ring)
        assert (tokens.hub_token(), tokens.url_token("https://x.org/w")) == found
    monkeypatch.setenv("HF_TOKEN", "own")
    assert tokens.hub_token() == "own"


@given(st.integers(0, 10**13))
def test_sizes_are_readable(count):
    number, unit = shown_bytes(count).split()
    size = {"bytes": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}[unit]
    assert abs(float(number) * size - count) <= 0.05 * size + 1e-6 * count


def test_a_standing_in_words():
    assert Standing("ready").words == "ready"
    assert Standing("needs download", 5_200_000_000).words == "needs download (5.2 GB)"


def test_a_file_that_is_cut_off_has_to_be_brought_again(own_folder):
    entry = write(
        own_folder, card_of(files=[file_of("w", DATA, sources=[{"url": "https://x.org/w"}])])
    )
    (entry.folder / "w").write_bytes(DATA[:-1])
    assert standing(entry) == Standing("needs download", len(DATA))
    (entry.folder / "w").write_bytes(DATA)
    assert standing(entry).state == "ready"
