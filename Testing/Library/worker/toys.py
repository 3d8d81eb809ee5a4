"""What the tests of the worker share: the toy's model, commands, images, looks at processes."""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np

from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.worker.setup import Setup
from Testing.Project.source import ROOT

GRID = Geometry((4, 12, 10), (1.0, 1.5, 2.0), (-5.0, 10.0, 30.0))
COMMAND = (sys.executable, "-m", "Testing.Library.worker.toy_worker")


def write_bright(folder):
    """The toy method's only model."""
    place = folder / "bright" / "spot"
    place.mkdir(parents=True)
    card = {
        "method": "bright",
        "name": "spot",
        "title": "A spot",
        "summary": "For tests.",
        "modality": ["MR"],
        "licence": {"name": "CC0-1.0"},
        "citation": "None.",
        "attribution": "None.",
        "files": [],
        "inputs": [{"name": "image", "kind": "MR", "required": True}],
        "labels": [{"value": 7, "name": "spot", "color_rgb": [1, 0.5, 0]}],
        "settings": {},
        "default": True,
        "limits": "Only for tests.",
    }
    (place / "model.json").write_text(json.dumps(card))
    return folder


def environment(models):
    return {**os.environ, "PYTHONPATH": str(ROOT), "DIFFUSIONSEG_MODELS": str(models)}


def setup(seed=0, method="bright", **parameters):
    return Setup(method, device="cpu", seed=seed, parameters=parameters)


def image(value=100, geometry=GRID):
    array = np.zeros(geometry.shape_kji, np.int16)
    array[1:3, 2:6, 3:8] = value
    array[0, 0, 0] = 1
    return Image(array[None], geometry, ("image",))


def wait_until(true, timeout_s=10.0, poll=None):
    end_s = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end_s, "it did not happen in time"
        if poll is not None:
            poll()
        time.sleep(0.005)


def has_begun(ticket):
    """Whether the worker computes for it."""
    return ticket.progress is not None and ticket.progress.stage != "Starting the worker"


def is_alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def children(pid=None):
    """Living descendants, this process's by default."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] != "Z":
                parents[int(folder.name)] = int(fields[1])
    found, new = set(), {pid or os.getpid()}
    while new:
        new = {child for child, parent in parents.items() if parent in new} - found
        found |= new
    return found
