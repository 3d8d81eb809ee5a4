"""Whatever a server does, a file is in its place whole, or not at all."""

import hashlib
import random
import threading
import time

import pytest

from DiffusionSegLib.backbones.fetching.pace import SLOWEST, LowestPace, Pace
from DiffusionSegLib.backbones.fetching.transfer import (
    Patience,
    SourceFailure,
    Wanted,
    fetch_url,
    partial_path,
)
from DiffusionSegLib.errors import Cancelled, InputError, OutputError
from DiffusionSegLib.progress import Progress
from Testing.Library.backbones.fetching import bad_server as bad

CONTENT = random.Random(0).randbytes(200_000)
OTHER = random.Random(1).randbytes(200_000)
QUICK = Patience(attempts=3, first_wait_s=0.01, longest_wait_s=0.05, stall_s=0.4)
IMPATIENT = Patience(3, 0.01, 0.05, stall_s=10.0, lowest=LowestPace(1000.0, window_s=0.3))
GOOD_OLD = b"weights that were here before"


def wanted_at(tmp_path, content=CONTENT):
    return Wanted(tmp_path / "weights.bin", len(content), hashlib.sha256(content).hexdigest())


def fetch(wanted, url, patience=QUICK, progress=None):
    fetch_url(wanted, url, patience, progress or Progress.silent())


def leave_part(wanted, content):
    partial_path(wanted).write_bytes(content)


@pytest.mark.parametrize(
    "behaviors",
    [
        [bad.well],
        [bad.truncates(), bad.well],
        [bad.truncates(0.3), bad.truncates(0.9), bad.truncates(0.0), bad.well],
        [bad.stalls(), bad.well],
        [bad.resets(), bad.well],
        [bad.never_answers, bad.well],
        [bad.lies_about_length(0.5), bad.well],
        [bad.announces_nothing],
        [bad.truncates(), bad.ignores_range],
        [bad.truncates(), bad.sends_another_range, bad.well],
        [bad.answers(503), bad.answers(429, Retry_After="0"), bad.well],
        [bad.answers(503, Retry_After="soon"), bad.well],
        [bad.answers(503, Retry_After="Fri, 31 Dec 2999 23:59:59 GMT"), bad.well],
        [bad.truncates(), bad.answers(416), bad.well],
        [bad.slowly(0.002, 20_000)],
    ],
    ids=lambda plan: "-",
)
def test_it_ends_well_where_it_can(tmp_path, server, behaviors):
    wanted = wanted_at(tmp_path)
    fetch(wanted, server.serve("/w", CONTENT, *behaviors))
    assert wanted.target.read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["weights.bin"]


@pytest.mark.parametrize(
    ("behaviors", "words"),
    [
        ([bad.answers(401)], "401: it wants a token"),
        ([bad.answers(403)], "403: it does not let you"),
        ([bad.answers(404)], "404: it has no such file"),
        ([bad.answers(410)], "410"),
        ([bad.answers(418)], "answered 418"),
        ([bad.answers(429)], "429: too many downloads"),
        ([bad.answers(503)], "503: it is overloaded"),
        ([bad.sends(OTHER)], "wrong sha256"),
        ([bad.sends(CONTENT + b"more")], "200004 bytes instead of 200000"),
        ([bad.lies_about_length(2)], "400000 bytes instead of 200000"),
        ([bad.truncates(0.0)], "ended before the file did|IncompleteRead"),
        ([bad.never_answers], "timed out"),
        ([bad.sends(CONTENT[:1000])], "shorter"),
        ([bad.truncates(), bad.sends_another_range], "another part of the file"),
    ],
)
def test_it_fails_with_the_reason_and_leaves_what_was_there(tmp_path, server, behaviors, words):
    wanted = wanted_at(tmp_path)
    wanted.target.write_bytes(GOOD_OLD)
    with pytest.raises(SourceFailure, match=words):
        fetch(wanted, server.serve("/w", CONTENT, *behaviors))
    assert wanted.target.read_bytes() == GOOD_OLD


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_an_answer_that_will_not_change_is_not_asked_for_again(tmp_path, server, status):
    with pytest.raises(SourceFailure):
        fetch(wanted_at(tmp_path), server.serve("/w", CONTENT, bad.answers(status)))
    assert len(server.seen) == 1


def test_only_what_is_missing_is_asked_for(tmp_path, server):
    url = server.serve("/w", CONTENT, bad.truncates(0.5), bad.well)
    fetch(wanted_at(tmp_path), url)
    assert server.ranges("/w") == [None, "bytes=100000-"]


def test_what_an_earlier_call_left_goes_on(tmp_path, server):
    wanted = wanted_at(tmp_path)
    leave_part(wanted, CONTENT[:150_000])
    fetch(wanted, server.serve("/w", CONTENT))
    assert server.ranges("/w") == ["bytes=150000-"]
    assert wanted.target.read_bytes() == CONTENT


def test_a_partial_file_that_was_wrong_is_found_out_and_fetched_anew(tmp_path, server):
    wanted = wanted_at(tmp_path)
    leave_part(wanted, OTHER[:150_000])
    fetch(wanted, server.serve("/w", CONTENT))
    assert server.ranges("/w") == ["bytes=150000-", None]
    assert wanted.target.read_bytes() == CONTENT


@pytest.mark.parametrize("surplus", [0, 5])
def test_a_partial_file_that_is_already_long_enough_needs_no_server(tmp_path, surplus):
    wanted = wanted_at(tmp_path)
    leave_part(wanted, CONTENT + b"x" * surplus)
    if surplus:
        with pytest.raises(SourceFailure):
            fetch(wanted, "http://127.0.0.1:9/none")
        assert not wanted.target.exists()
    else:
        fetch(wanted, "http://127.0.0.1:9/none")
        assert wanted.target.read_bytes() == CONTENT


def test_nobody_there(tmp_path):
    with pytest.raises(SourceFailure, match="refused"):
        fetch(wanted_at(tmp_path), "http://127.0.0.1:9/none")


def test_redirects_are_followed_and_a_loop_ends(tmp_path, server):
    there = server.serve("/there", CONTENT)
    fetch(wanted_at(tmp_path), server.serve("/w", None, bad.redirects(there)))
    assert (tmp_path / "weights.bin").read_bytes() == CONTENT
    (tmp_path / "weights.bin").unlink()
    loop = server.serve("/loop", None, bad.redirects("/loop"))
    with pytest.raises(SourceFailure, match="302"):
        fetch(wanted_at(tmp_path), loop)
    file = server.serve("/file", None, bad.redirects("file:///etc/passwd"))
    with pytest.raises(SourceFailure):
        fetch(wanted_at(tmp_path), file)
    assert not (tmp_path / "weights.bin").exists()


def test_a_token_goes_to_its_host_and_no_further(tmp_path, server, monkeypatch):
    monkeypatch.setenv("DIFFUSIONSEG_TOKENS", "elsewhere.org=no, 127.0.0.1=secret")
    # The same server under another name stands for another host.
    there = server.serve("/there", CONTENT).replace("127.0.0.1", "localhost")
    fetch(wanted_at(tmp_path), server.serve("/w", None, bad.redirects(there)))
    told = {path: headers.get("Authorization") for path, headers in server.seen}
    assert told == {"/w": "Bearer secret", "/there": None}


def test_the_proxy_of_the_environment_is_asked(tmp_path, server, monkeypatch):
    """A plain proxy is asked for the whole address."""
    monkeypatch.setenv("http_proxy", server.address)
    server.serve("http://models.invalid/w", CONTENT)
    fetch(wanted_at(tmp_path), "http://models.invalid/w")
    assert (tmp_path / "weights.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("behavior", [bad.stalls(), bad.never_answers, bad.answers(503)])
def test_it_can_be_cancelled_at_any_moment(tmp_path, server, behavior):
    asked, wanted = threading.Event(), wanted_at(tmp_path)
    patience = Patience(attempts=3, first_wait_s=30, longest_wait_s=30, stall_s=30)
    threading.Timer(0.4, asked.set).start()
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        fetch(wanted, server.serve("/w", CONTENT, behavior), patience,
              Progress(cancelled=asked.is_set))  # fmt: skip
    assert time.monotonic() - begun < 5
    assert not wanted.target.exists()
    fetch(wanted, server.serve("/w", CONTENT))
    assert wanted.target.read_bytes() == CONTENT


def test_progress_only_goes_up_and_names_the_file(tmp_path, server):
    told = []
    fetch(wanted_at(tmp_path), server.serve("/w", CONTENT, bad.truncates(), bad.ignores_range),
          progress=Progress(told.append))  # fmt: skip
    shares = [one.fraction for one in told]
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert any("200.0 kB of 200.0 kB" in one.stage for one in told)


def test_an_empty_file(tmp_path, server):
    fetch(wanted_at(tmp_path, b""), server.serve("/w", b""))
    assert (tmp_path / "weights.bin").read_bytes() == b""


def test_too_little_room_is_said_before_anything_is_fetched(tmp_path, server):
    url = server.serve("/w", CONTENT)
    with pytest.raises(OutputError, match=r"too little room: .* are needed and .* are free"):
        fetch(Wanted(tmp_path / "w", 10**15, "0" * 64), url)
    assert server.seen == []


def test_a_folder_that_may_not_be_written_to_is_a_sentence(tmp_path, server):
    (tmp_path / "file").write_text("")
    wanted = Wanted(tmp_path / "file" / "w", len(CONTENT), "0" * 64)
    with pytest.raises(OutputError, match="DIFFUSIONSEG_MODELS"):
        fetch(wanted, server.serve("/w", CONTENT))


@pytest.mark.parametrize(
    "first", [bad.drips(), bad.drips(0.0), bad.drips_its_headers, bad.lets_go_after(3)]
)
def test_a_drip_counts_as_a_stall_and_is_gone_on_with(tmp_path, server, first):
    wanted = wanted_at(tmp_path)
    begun = time.monotonic()
    fetch(wanted, server.serve("/w", CONTENT, first, bad.well), IMPATIENT)
    assert wanted.target.read_bytes() == CONTENT and time.monotonic() - begun < 5
    asked = server.ranges("/w")
    assert asked[0] is None and len(asked) == 2
    if first is not bad.drips_its_headers:
        assert 0 < int(asked[1].removeprefix("bytes=").rstrip("-")) < len(CONTENT)


@pytest.mark.parametrize(
    ("behavior", "words"),
    [
        (bad.drips(0.0), r"fewer than 1\.0 kB a second came.*DIFFUSIONSEG_SLOWEST"),
        (bad.drips_its_headers, "fewer than"),
        (bad.lets_go_after(3), "ended before the file did|IncompleteRead"),
    ],
)
def test_a_drip_for_ever_ends_with_a_sentence(tmp_path, server, behavior, words):
    wanted = wanted_at(tmp_path)
    begun = time.monotonic()
    with pytest.raises(SourceFailure, match=words):
        fetch(wanted, server.serve("/w", CONTENT, behavior), IMPATIENT)
    assert time.monotonic() - begun < 10 and len(server.seen) == IMPATIENT.attempts
    fetch(wanted, server.serve("/w", CONTENT))
    assert server.ranges("/w")[-1] is not None or behavior is bad.drips_its_headers
    assert wanted.target.read_bytes() == CONTENT


def test_a_slow_line_is_waited_for_where_the_user_says_so(tmp_path, server):
    few = CONTENT[:60]
    wanted = wanted_at(tmp_path, few)
    patience = Patience(1, stall_s=10.0, lowest=LowestPace(0.0, window_s=0.1))
    fetch(wanted, server.serve("/w", few, bad.drips(0.0, 0.01)), patience)
    assert wanted.target.read_bytes() == few


def test_a_slow_disk_is_no_slow_server():
    pace = Pace(LowestPace(1000.0, 60.0))
    assert not any(pace.is_too_slow(10_000, 0.001) for _ in range(1000))
    assert not pace.is_too_slow(0, 59.0)
    assert not pace.is_too_slow(1_000, 1.0)  # 10 MB came in this window
    assert pace.is_too_slow(59_000, 60.0)
    assert not pace.is_too_slow(61_000, 60.0)


@pytest.mark.parametrize(("told", "bytes_s"), [("", 1000.0), (" 50 ", 50.0), ("0", 0.0)])
def test_the_lowest_pace_is_a_setting(monkeypatch, told, bytes_s):
    monkeypatch.setenv(SLOWEST, told)
    assert Patience.of_environment().lowest == LowestPace(bytes_s)


@pytest.mark.parametrize("told", ["fast", "-1", "nan", "inf", "1 kB"])
def test_a_lowest_pace_that_is_none_is_a_sentence(monkeypatch, told):
    monkeypatch.setenv(SLOWEST, told)
    with pytest.raises(InputError, match="DIFFUSIONSEG_SLOWEST is the fewest bytes"):
        Patience.of_environment()
