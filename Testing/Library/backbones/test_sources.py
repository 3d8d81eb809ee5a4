import json

import pytest

from DiffusionSegLib.backbones.manifest import Needs, parse_manifest, read_manifest
from DiffusionSegLib.backbones.sources import Source, in_source, read_sources
from DiffusionSegLib.errors import ModelError
from Testing.Library.backbones.fetching.toy_cards import card_of, file_of, write


def test_all_kinds_in_their_order():
    told = [{"hub": "org/name@v1", "path": "a/b.pt"}, {"url": "https://x.org/w"}, {"folder": "~/w"}]
    assert read_sources(told) == (
        Source("hub", "org/name@v1", "a/b.pt"), Source("url", "https://x.org/w"),
        Source("folder", "~/w"),
    )  # fmt: skip


@pytest.mark.parametrize(
    "values",
    [
        5, "hub", [5], [{}], [{"hub": "a/b", "url": "https://x.org"}], [{"hub": "name"}],
        [{"hub": ""}], [{"hub": 3}], [{"url": "ftp://x.org/w"}], [{"url": "file:///etc/passwd"}],
        [{"url": "https://"}], [{"url": "https://x.org/a b"}], [{"url": "https://x.org/\nHost: y"}],
        [{"url": "https://[x/w"}], [{"folder": "w", "path": "../x"}],
        [{"hub": "a/b", "path": "/x"}], [{"hub": "a/b", "path": 3}], [{"folder": "w", "more": 1}],
        {"hub": "a/b"}, [{"folder": "a\0b"}],
    ],
)  # fmt: skip
def test_unusable_sources_are_sentences_of_the_card(tmp_path, values):
    content = json.dumps(card_of(sources=values)).encode()
    with pytest.raises(ModelError, match=r"model\.json is not usable"):
        parse_manifest(content, tmp_path / "model.json")
    content = json.dumps(card_of(files=[file_of("w", b"", sources=values)])).encode()
    with pytest.raises(ModelError, match=r"model\.json is not usable"):
        parse_manifest(content, tmp_path / "model.json")


def test_a_models_url_is_a_folder_and_a_files_is_the_file():
    base = Source("url", "https://x.org/m/")
    assert in_source(base, "a b/ü.bin") == Source("url", "https://x.org/m/a%20b/%C3%BC.bin")
    assert in_source(Source("folder", "/d"), "w") == Source("folder", "/d", "w")
    assert in_source(Source("hub", "a/b", "x.pt"), "w") == Source("hub", "a/b", "x.pt")


def test_the_further_fields_of_a_card(tmp_path):
    more = {
        "purpose": "To try.",
        "sources": [{"hub": "a/b"}],
        "needs": {"disk_bytes": 5, "memory_bytes": 7},
        "minimum": {"torch": "2.6"},
    }
    entry = write(tmp_path, card_of(**more))
    assert entry.purpose == "To try." and entry.sources == (Source("hub", "a/b"),)
    assert entry.needs == Needs(5, 0, 7) and entry.minimum == {"torch": "2.6"}
    assert entry.licence.text == "Be kind."
    plain = write(tmp_path, card_of())
    assert (plain.purpose, plain.sources, plain.needs, plain.minimum) == ("", (), Needs(), {})


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"needs": {"disk_bytes": -1}}, "disk_bytes"),
        ({"needs": {"disk_bytes": 1.5}}, "whole number"),
        ({"needs": {"disk": 1}}, "disk"),
        ({"needs": 5}, "not usable"),
        ({"minimum": {"torch": 2}}, "minimum version of torch"),
        ({"minimum": {"torch": ">=2"}}, "like '2.6'"),
        ({"minimum": 3}, "not usable"),
        ({"licence": {"name": 5}}, "licence"),
        ({"licence": {"name": "x", "commercial": "no"}}, "licence"),
        ({"name": "../x"}, "plain name"),
        ({"name": ""}, "plain name"),
        ({"method": "a/b"}, "plain name"),
        ({"files": [file_of("a//b", b"")]}, "outside"),
        ({"files": [file_of("C:b", b"")]}, "outside"),
        ({"files": [file_of("a\\b", b"")]}, "outside"),
        ({"files": [file_of("a\0b", b"")]}, "outside"),
        ({"files": [file_of("a" * 300, b"")]}, "outside"),
        ({"name": "a" * 300}, "plain name"),
        ({"files": [{**file_of("w", b""), "size": -1}]}, "below zero"),
    ],
)
def test_what_cannot_be_is_named(tmp_path, change, word):
    (tmp_path / "model.json").write_text(json.dumps({**card_of(), **change}))
    with pytest.raises(ModelError, match=word):
        read_manifest(tmp_path / "model.json")
