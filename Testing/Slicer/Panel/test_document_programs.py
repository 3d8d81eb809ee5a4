"""The programs for Slicer's Python console, in the README and the documents, do what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from Testing.Project.documents import Block, blocks, documents, name_of

ROOT = Path(__file__).resolve().parents[3]
SAMPLE = ROOT / "Resources" / "Samples" / "msd_hippocampus" / "images" / "hippocampus_033.nii.gz"
PROGRAMS = [one for document in documents() for one in blocks(document, "python slicer")]
OUTLINING = [one for one in PROGRAMS if "segment(" in one.text]
OTHERS = [one for one in PROGRAMS if one not in OUTLINING]


@pytest.mark.slow
@pytest.mark.parametrize("block", OUTLINING, ids=lambda block: block.title)
def test_it_makes_a_segmentation(panel: Any, block: Block) -> None:
    import slicer

    volume = slicer.util.loadVolume(str(SAMPLE))
    console: dict[str, Any] = {"slicer": slicer}
    exec(block.text, console)
    segmentation = console["segmentation"].GetSegmentation()
    names = [segmentation.GetNthSegment(n).GetName() for n in range(2)]
    assert names == ["Anterior hippocampus", "Posterior hippocampus"]
    assert volume.GetName() == "hippocampus_033"


def test_the_settings_are_removed(scene: Any) -> None:
    import slicer

    (block,) = OTHERS
    settings = slicer.app.userSettings()
    settings.setValue("DiffusionSeg/WorkerCommand", "somewhere worker")
    settings.setValue("Modules/HomeModule", "Data")
    exec(block.text, {"slicer": slicer})
    assert settings.value("DiffusionSeg/WorkerCommand", "") == ""
    assert settings.value("Modules/HomeModule", "") == "Data"


def test_every_program_is_run() -> None:
    assert sorted(name_of(one.document) for one in PROGRAMS) == [
        "README.md", "Resources/Documentation/offline.md", "Resources/Documentation/prompts.md",
    ]  # fmt: skip
    assert len(OUTLINING) + len(OTHERS) == len(PROGRAMS)
