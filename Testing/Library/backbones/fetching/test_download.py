"""A model's files come from its sources in order; what is whole is never touched."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from DiffusionSegLib.backbones.fetching.download import download_model
from DiffusionSegLib.backbones.fetching.licences import accept_licence
from DiffusionSegLib.backbones.fetching.lock import one_at_a_time
from DiffusionSegLib.backbones.fetching.standing import standing
from DiffusionSegLib.backbones.fetching.transfer import Patience
from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.errors import Cancelled, InputError, ModelError, OutputError
from DiffusionSegLib.progress import Progress
from Testing.Library.backbones.fetching import bad_server as bad
from Testing.Library.backbones.fetching.toy_cards import (
    card_of,
    content,
    environment,
    file_of,
    write,
)

QUICK = Patience(attempts=2, first_wait_s=0.01, longest_wait_s=0.02, stall_s=0.4)
DATA, MORE = content(0), content(1)


def download(entry, **options):
    return download_model(entry, Progress.silent(), patience=QUICK, **options)


def accepted(entry):
    accept_licence(entry)
    return entry


def left(folder):
    """Files of a folder that are not for locking."""
    return sorted(one.name for one in folder.iterdir() if not one.name.endswith(".lock"))


def test_every_file_comes_once_and_the_model_is_whole(own_folder, server):
    server.serve("/m/weights.bin", DATA)
    server.serve("/m/more/text%20file.bin", MORE)
    files = [file_of("weights.bin", DATA), file_of("more/text file.bin", MORE)]
    entry = accepted(
        write(own_folder, card_of(files=files, sources=[{"url": f"{server.address}/m"}]))
    )
    assert standing(entry).words == "needs download (240.0 kB)"
    assert download(entry) == 2
    ModelStore([]).verify(entry)
    assert standing(entry).state == "ready"
    assert download(entry) == 0
    assert len(server.seen) == 2
    assert left(entry.folder) == ["model.json", "more", "weights.bin"]


def test_sources_are_tried_in_order(own_folder, server, tmp_path):
    gone = server.serve("/gone", DATA, bad.answers(404))
    wrong = server.serve("/wrong", DATA, bad.sends(MORE))
    (tmp_path / "shelf").mkdir()
    (tmp_path / "shelf" / "weights.bin").write_bytes(DATA)
    sources = [{"url": gone}, {"folder": str(tmp_path / "nowhere")}, {"url": wrong}]
    sources += [{"folder": "~nobody/x"}, {"folder": "x" * 5000}]
    files = [file_of("weights.bin", DATA, sources=[*sources, {"folder": str(tmp_path / "shelf")}])]
    entry = accepted(write(own_folder, card_of(files=files)))
    assert download(entry) == 1
    assert [path for path, _ in server.seen] == ["/gone", "/wrong"]
    assert (entry.folder / "weights.bin").read_bytes() == DATA


def test_when_all_fail_every_reason_is_told_and_nothing_lies_there(own_folder, server, tmp_path):
    (tmp_path / "weights.bin").write_bytes(MORE)
    gone = server.serve("/gone", DATA, bad.answers(404))
    files = [file_of("weights.bin", DATA, sources=[{"url": gone}, {"folder": str(tmp_path)}])]
    entry = accepted(write(own_folder, card_of(files=files)))
    with pytest.raises(ModelError, match=r"404.*wrong sha256.*offline bundle"):
        download(entry)
    assert left(entry.folder) == ["model.json"]


def test_a_mirror_goes_first_and_can_give_nothing_else(own_folder, server, monkeypatch):
    own = server.serve("/own", DATA)
    server.serve("/mirror/cdal/toy/weights.bin", DATA)
    files = [file_of("weights.bin", DATA, sources=[{"url": own}])]
    entry = accepted(write(own_folder, card_of(files=files)))
    monkeypatch.setenv("DIFFUSIONSEG_MIRROR", f"{server.address}/mirror/")
    assert download(entry) == 1
    (entry.folder / "weights.bin").unlink()
    assert download(entry, mirror=f"{server.address}/bad") == 1
    server.serve("/mirror/cdal/toy/weights.bin", MORE)
    (entry.folder / "weights.bin").unlink()
    assert download(entry) == 1
    assert [path for path, _ in server.seen] == [
        "/mirror/cdal/toy/weights.bin", "/bad/cdal/toy/weights.bin", "/own",
        "/mirror/cdal/toy/weights.bin", "/own",
    ]  # fmt: skip


@pytest.mark.parametrize("mirror", ["notaurl", "ftp://x/y", "http://[bad", "https://", "a b"])
def test_a_mirror_that_is_no_address_is_a_sentence(own_folder, monkeypatch, mirror):
    entry = write(own_folder, card_of(files=[file_of("w", DATA)]))
    with pytest.raises(InputError, match="no address of a mirror"):
        download(entry, mirror=mirror)
    monkeypatch.setenv("DIFFUSIONSEG_MIRROR", mirror)
    with pytest.raises(InputError, match="no address of a mirror"):
        download(entry)


def test_a_damaged_file_is_replaced_only_by_a_good_one(own_folder, server):
    url = server.serve("/w", DATA, bad.answers(503))
    entry = accepted(write(own_folder, card_of(files=[file_of("w", DATA, sources=[{"url": url}])])))
    (entry.folder / "w").write_bytes(DATA[:-1] + b"?")
    with pytest.raises(ModelError, match="503"):
        download(entry)
    assert (entry.folder / "w").read_bytes() == DATA[:-1] + b"?"
    server.serve("/w", DATA)
    assert download(entry) == 1
    assert (entry.folder / "w").read_bytes() == DATA


def test_without_an_accepted_licence_nothing_is_asked_of_anybody(own_folder, server):
    url = server.serve("/w", DATA)
    card = card_of(files=[file_of("w", DATA, sources=[{"url": url}])])
    entry = write(own_folder, card)
    with pytest.raises(ModelError, match=r"licence of the model cdal/toy \(Toy licence\).*accept"):
        download(entry)
    accept_licence(entry)
    changed = write(own_folder, {**card, "licence": {**card["licence"], "text": "Be mean."}})
    with pytest.raises(ModelError, match="accepted once"):
        download(changed)
    assert server.seen == []
    record = json.loads((own_folder / "licences.json").read_text())
    assert record["cdal/toy"]["licence"] == "Toy licence" and record["cdal/toy"]["accepted"]


def test_a_file_without_any_source_says_where_to_put_it(own_folder):
    entry = accepted(write(own_folder, card_of(files=[file_of("w", DATA)])))
    assert standing(entry).state == "incomplete"
    with pytest.raises(ModelError, match="names no source of it; put it into"):
        download(entry)


SLOW = content(2, 2_000_000)


@pytest.mark.skipif(os.name != "posix", reason="killing is done as on Linux and macOS")
def test_killed_while_downloading_then_resumed(own_folder, server):
    """The process gets no chance to tidy up."""
    url = server.serve("/w", SLOW, bad.slowly(0.05, 50_000), bad.well)
    entry = accepted(write(own_folder, card_of(files=[file_of("w", SLOW, sources=[{"url": url}])])))
    code = "import sys; from DiffusionSegLib.cli.main import main; sys.exit(main(sys.argv[1:]))"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "models", "download", "cdal/toy"],
        env=environment(own_folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    part = None
    end = time.monotonic() + 60
    while time.monotonic() < end:
        part = next(iter(entry.folder.glob(".w.*.part")), None)
        if part is not None and part.stat().st_size > 200_000:
            break
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    size = part.stat().st_size
    assert 0 < size < len(SLOW) and not (entry.folder / "w").exists()
    with pytest.raises(ModelError, match="missing"):
        ModelStore([]).verify(entry)
    assert download(entry) == 1
    assert (entry.folder / "w").read_bytes() == SLOW
    assert server.ranges("/w") == [None, f"bytes={size}-"]


LARGE = content(3, 8_000_000)


@contextlib.contextmanager
def small_disk(place, size):
    """A file system of its own, in memory; skips where this may not be made."""
    place.mkdir(parents=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    try:
        done = subprocess.run(words, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount here")
    if done.returncode:
        pytest.skip("a small file system may not be mounted here; see the next test")
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_fills_up_during_the_download(own_folder, server):
    with small_disk(own_folder, 30_000_000):
        ballast = own_folder / "ballast"

        def fills(handler, data, server):
            rest = bad.start_answer(handler, data)
            handler.wfile.write(rest[:3_000_000])
            handler.wfile.flush()
            with contextlib.suppress(OSError), open(ballast, "wb") as stream:
                for _ in range(300):
                    stream.write(b"x" * 100_000)
                    stream.flush()
            handler.wfile.write(rest[3_000_000:])

        url = server.serve("/w", LARGE, fills, bad.well)
        files = [file_of("w", LARGE, sources=[{"url": url}])]
        entry = accepted(write(own_folder, card_of(files=files)))
        with pytest.raises(OutputError, match=r"disk is full.*kept and goes on"):
            download(entry)
        assert not (entry.folder / "w").exists()
        begun = next(entry.folder.glob(".w.*.part")).stat().st_size
        ballast.unlink()
        assert download(entry) == 1
        assert (entry.folder / "w").read_bytes() == LARGE
        assert server.ranges("/w") == [None, f"bytes={begun}-"]


@pytest.mark.skipif(os.name != "posix", reason="such a limit is known to Linux and macOS only")
def test_a_limit_on_the_size_of_files(own_folder, server):
    """Like a full disk, also where nothing may be mounted."""
    url = server.serve("/w", LARGE)
    accepted(write(own_folder, card_of(files=[file_of("w", LARGE, sources=[{"url": url}])])))
    code = (
        "import resource, sys; from DiffusionSegLib.cli.main import main;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000));"
        "sys.exit(main(['models', 'download', 'toy', '--quiet']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(own_folder), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "the disk is full" in done.stderr
    assert not (own_folder / "cdal" / "toy" / "w").exists()
    entry = ModelStore([own_folder]).find("cdal", "toy")
    assert download(entry) == 1
    assert server.ranges("/w")[-1] == "bytes=1000000-"


def test_of_two_downloads_of_one_file_the_second_waits_and_asks_nobody(own_folder, server):
    url = server.serve("/w", DATA, bad.stalls(0.5, 1.0), bad.well)
    entry = accepted(write(own_folder, card_of(files=[file_of("w", DATA, sources=[{"url": url}])])))
    first = threading.Thread(target=download, args=(entry,))
    first.start()
    while not server.seen:
        time.sleep(0.01)
    stages = []
    progress = Progress(lambda report: stages.append(report.stage))
    assert download_model(entry, progress, patience=QUICK) == 1
    first.join()
    assert (entry.folder / "w").read_bytes() == DATA and len(server.seen) == 2
    assert "Waiting for another download or import of w" in stages


def test_waiting_for_another_download_can_be_cancelled(own_folder, server):
    url = server.serve("/w", DATA)
    entry = accepted(write(own_folder, card_of(files=[file_of("w", DATA, sources=[{"url": url}])])))
    asked = threading.Event()
    threading.Timer(0.3, asked.set).start()
    with one_at_a_time(entry.folder / "w"), pytest.raises(Cancelled):
        download_model(entry, Progress(cancelled=asked.is_set))
    assert server.seen == []


def test_two_programs_download_one_model_at_once(own_folder, server):
    """As two windows of Slicer that are opened together: both end with a whole model."""
    url = server.serve("/w", SLOW, bad.slowly(0.02, 100_000))
    entry = accepted(write(own_folder, card_of(files=[file_of("w", SLOW, sources=[{"url": url}])])))
    code = "import sys; from DiffusionSegLib.cli.main import main; sys.exit(main(sys.argv[1:]))"
    words = [sys.executable, "-c", code, "models", "download", "cdal/toy", "--quiet"]
    both = [
        subprocess.Popen(words, env=environment(own_folder), stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [one.communicate(timeout=120)[1] for one in both]
    assert [one.returncode for one in both] == [0, 0], told
    assert (entry.folder / "w").read_bytes() == SLOW and server.ranges("/w") == [None]
