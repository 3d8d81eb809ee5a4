"""A process with little memory: METHOD MODEL BYTES BLIND, what came out as JSON.

BLIND 1: the plan is not told how much is free, so that memory runs out during the run.
"""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK
import torch
from scipy import ndimage, sparse  # noqa: F401  what is needed anyway is loaded before the limit

from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Prompt
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.session import Session
from Testing.Project.source import ROOT

SAMPLES = ROOT / "Resources" / "Samples"


def main() -> None:
    """Load without a limit, then outline with it."""
    method, model, size, blind = sys.argv[1:]
    torch.set_num_threads(1)
    # SimpleITK waits for ever for a thread that the limit kept from being made.
    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    image, truth, prompt = asked(method)
    options: dict[str, Any] = {"free": lambda device: None} if int(blind) else {}
    samples = None if method == "adzus" else 1
    session = Session(method, model, "cpu", samples=samples, **options)
    session._loaded(Progress.silent())
    limit = (used() + int(size), resource.RLIM_INFINITY)
    resource.setrlimit(resource.RLIMIT_AS, limit)
    stages: list[str] = []
    progress = Progress(lambda report: stages.append(report.stage))
    plan = session.plan(prompt, image)
    session.set_image(image, progress=progress)
    found = session.propose(prompt, progress=progress)
    outline = found.mask().array > 0
    overlap = 2 * (outline & truth).sum() / (outline.sum() + truth.sum())
    print(
        json.dumps(
            {
                "words": plan.words,
                "dice": float(overlap),
                "stages": sorted({stage for stage in stages if "emory" in stage}),
                "reason": found.verdict.reason,
                "adjusted": found.provenance.parameters.get("adjusted_for_memory"),
            }
        )
    )


def asked(method: str) -> tuple[Image, np.ndarray[Any, Any], Prompt]:
    """A volume with room around it for cDAL, a click on a picture for the others; the truth."""
    if method == "cdal":
        image = Image.read(SAMPLES / "msd_hippocampus/images/hippocampus_033.nii.gz")
        truth = Mask.read(SAMPLES / "msd_hippocampus/labels/hippocampus_033.nii.gz").array > 0
        wide = [(12, 13), (14, 15), (14, 15)]
        array = np.pad(image.array, [(0, 0), *wide], mode="reflect")
        shape = (array.shape[1], array.shape[2], array.shape[3])
        image = replace(image, array=array, geometry=replace(image.geometry, shape_kji=shape))
        return image, np.pad(truth, wide), Prompt()
    image = Image.read(SAMPLES / "isic2017_98/images/ISIC_0012206.jpg")
    truth = Mask.read(SAMPLES / "isic2017_98/labels/ISIC_0012206.png").array > 0
    depth = ndimage.distance_transform_edt(truth)
    place = np.array(np.unravel_index(int(depth.argmax()), depth.shape), np.float64)
    return image, truth, Prompt(points=[tuple(image.geometry.kji_to_ras(place[None])[0])])


def used() -> int:
    """Bytes of the address space."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmSize:"):
            return int(line.split()[1]) * 1024
    raise OSError("/proc/self/status has no VmSize")


if __name__ == "__main__":
    main()
