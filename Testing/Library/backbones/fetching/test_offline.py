"""A bundle made on one computer is all that another one without any network needs."""

import os
import subprocess
import sys

import numpy as np

from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from Testing.Library.backbones.fetching.toy_cards import environment
from Testing.Library.toy_model import write_toy

CODE = """
import socket, sys
if {blocked}:
    def refuse(*args, **options):
        raise OSError("there is no network")
    socket.socket.connect = socket.socket.connect_ex = refuse
    socket.create_connection = socket.getaddrinfo = refuse
else:
    try:
        socket.create_connection(("127.0.0.1", {port}), 1).close()
        sys.exit("the network is not cut off")
    except OSError:
        pass
from DiffusionSegLib.cli.main import main
for words in {commands}:
    code = main(words)
    if code:
        sys.exit(code)
"""


def cut_off():
    """The words that start a program without a network; none where that is not allowed."""
    words = ["unshare", "--net"]
    try:
        done = subprocess.run([*words, "true"], capture_output=True, check=False)
    except FileNotFoundError:
        return []
    return [] if done.returncode else words


def test_export_import_and_outline_without_network(tmp_path, server):
    """In a network namespace of its own; where this user may not make one, without sockets."""
    words = cut_off()
    write_toy(tmp_path / "connected", "gray")
    run(["models", "export", "cdal/gray", "-o", str(tmp_path / "bundle.zip")],
        environment(tmp_path / "connected"))  # fmt: skip
    Image(
        np.random.default_rng(0).integers(0, 200, (1, 1, 24, 24)).astype(np.int16),
        Geometry((1, 24, 24)), ("MR",),
    ).write(tmp_path / "image.nii.gz")  # fmt: skip
    outline = tmp_path / "outline.seg.nrrd"
    commands = [
        ["models", "import", str(tmp_path / "bundle.zip"), "--accept-licence", "--quiet"],
        ["models", "verify", "gray"],
        ["segment", str(tmp_path / "image.nii.gz"), "--method", "cdal", "--model", "gray",
         "--device", "cpu", "--output", str(outline), "--quiet"],
    ]  # fmt: skip
    port = server.http.server_port
    code = CODE.format(blocked=not words, port=port, commands=commands)
    done = subprocess.run(
        [*words, sys.executable, "-c", code], env=environment(tmp_path / "offline"),
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    assert "cdal/gray: whole" in done.stdout
    assert outline.stat().st_size > 0
    text = outline.read_bytes().partition(b"\n\n")[0].decode()
    assert "CC0-1.0" in text and "cdal/gray" in text  # licence and model are named on the result


def run(words, variables):
    code = "import sys; from DiffusionSegLib.cli.main import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, *words], env={**os.environ, **variables},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout
