"""The README's program for Slicer's Python console does what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
SAMPLE = ROOT / "Resources" / "Samples" / "msd_hippocampus" / "images" / "hippocampus_033.nii.gz"


@pytest.mark.slow
def test_the_program_makes_a_segmentation(panel: Any) -> None:
    import slicer

    programs = re.findall(r"```python slicer\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert len(programs) == 1
    volume = slicer.util.loadVolume(str(SAMPLE))
    console: dict[str, Any] = {"slicer": slicer}
    exec(programs[0], console)
    segmentation = console["segmentation"].GetSegmentation()
    names = [segmentation.GetNthSegment(n).GetName() for n in range(2)]
    assert names == ["Anterior hippocampus", "Posterior hippocampus"]
    assert volume.GetName() == "hippocampus_033"
