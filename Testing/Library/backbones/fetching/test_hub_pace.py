"""A hub that sends a byte now and then for ever is given up, through its own library."""

import threading
import time

import pytest

from DiffusionSegLib.backbones.fetching.hub_parts import HubPart
from DiffusionSegLib.backbones.fetching.hub_transfer import fetch_part
from DiffusionSegLib.backbones.fetching.hub_watch import HubWatch
from DiffusionSegLib.backbones.fetching.pace import LowestPace
from DiffusionSegLib.backbones.fetching.transfer import SourceFailure
from DiffusionSegLib.errors import Cancelled, ModelError
from DiffusionSegLib.progress import Progress
from Testing.Library.backbones.fetching import bad_server as bad
from Testing.Library.backbones.fetching.toy_cards import content
from Testing.Library.backbones.fetching.toy_hub import ToyHub

huggingface_hub = pytest.importorskip("huggingface_hub", reason="comes with diffusers")

PATH, DATA = "model.safetensors", content(1, 60_000)
IMPATIENT = LowestPace(1000.0, window_s=0.5)


@pytest.fixture
def hub(monkeypatch):
    one = ToyHub()
    for name in ("org/one", "org/two"):
        one.repositories[name] = {"config.json": b"{}", PATH: DATA}
    monkeypatch.setenv("HF_ENDPOINT", one.address)
    yield one
    one.close()


def fetch(part, progress=None):
    return fetch_part(part, False, progress or Progress.silent(), IMPATIENT)


def hooks():
    return {name: list(own) for name, own in huggingface_hub.get_session().event_hooks.items()}


def test_the_library_goes_on_after_a_drip(hub):
    before = hooks()
    hub.plan["org/one", PATH] = [bad.drips(), bad.well]
    copy = fetch(HubPart("clip", "org/one"))
    assert (copy.folder / PATH).read_bytes() == DATA and copy.came_from == "org/one"
    assert len([path for path in hub.fetched() if path.endswith(PATH)]) == 2
    assert hooks() == before


def test_a_drip_for_ever_sends_on_to_the_next_source(hub):
    hub.plan["org/one", PATH] = [bad.drips(0.0)]
    begun = time.monotonic()
    copy = fetch(HubPart("clip", "org/one", ("org/two",)))
    assert copy.came_from == "org/two" and (copy.folder / PATH).read_bytes() == DATA
    assert time.monotonic() - begun < 30


def test_it_can_be_cancelled_in_the_middle_of_a_drip(hub):
    hub.plan["org/one", PATH] = [bad.drips()]
    del hub.repositories["org/one"]["config.json"]
    asked, before = threading.Event(), hooks()
    threading.Timer(0.6, asked.set).start()
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        fetch_part(HubPart("clip", "org/one"), False, Progress(cancelled=asked.is_set),
                   LowestPace(1.0, 60.0))  # fmt: skip
    assert time.monotonic() - begun < 5
    end = time.monotonic() + 10
    while any(one.name == "hub" for one in threading.enumerate()) and time.monotonic() < end:
        time.sleep(0.05)
    assert not [one for one in threading.enumerate() if one.name == "hub"]
    assert hooks() == before and len(hub.fetched()) == 1  # the library does not go on by itself


def test_storage_that_the_client_does_not_read_is_judged_by_its_bar():
    """As the library's own "xet" tells of its bytes; nothing here reads them."""
    watch = HubWatch(huggingface_hub, IMPATIENT)
    stopped = threading.Event()

    def drips():
        bar = watch.bar()(total=10**6)
        try:
            while True:
                bar.update(1)
                time.sleep(0.01)
        finally:
            stopped.set()

    with pytest.raises(SourceFailure, match=r"fewer than 1\.0 kB a second"):
        watch.run(drips, lambda count: None)
    assert stopped.wait(5)  # nobody waits for it: its next word ends it


def test_storage_that_is_fast_enough_is_waited_for():
    watch, counts = HubWatch(huggingface_hub, IMPATIENT), []

    def flows():
        bar = watch.bar()(total=10**6)
        for _ in range(80):
            bar.update(1_000)
            time.sleep(0.01)
        return "done"

    assert watch.run(flows, counts.append) == "done"
    assert 0 < sum(counts) <= 80_000


def test_when_no_answer_ever_begins_it_is_a_sentence(hub):
    for name in ("org/one", "org/two"):
        hub.plan[name, "config.json"] = [bad.drips_its_headers]
    words = r"org/one: its answer does not begin; org/two: its answer does not begin.*HF_ENDPOINT"
    with pytest.raises(ModelError, match=words):
        fetch(HubPart("clip", "org/one", ("org/two",)))
