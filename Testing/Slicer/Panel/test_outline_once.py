"""An outline from a script, without the page."""

from __future__ import annotations

from typing import Any

import pytest

from Testing.Slicer.Panel.conftest import HIPPOCAMPUS


@pytest.fixture
def client(scene: Any, workers: dict[str, Any]) -> Any:
    """The worker that the other tests use."""
    from DiffusionSegPanel.worker_settings import createClient

    if "" not in workers:
        workers[""] = createClient("")
    return workers[""]


def test_segments_carry_names_colors_and_origin(client: Any, scene: Any) -> None:
    import slicer

    from DiffusionSegBridge.segment_tags import tagOf
    from DiffusionSegPanel.outline_once import outlineOnce

    volume = slicer.util.loadVolume(str(HIPPOCAMPUS / "images" / "hippocampus_033.nii.gz"))
    node = outlineOnce(volume, model="hippocampus", seed=4, samples=1, client=client)
    assert node.GetName() == "hippocampus_033 outline"
    segmentation = node.GetSegmentation()
    names = [
        segmentation.GetNthSegment(index).GetName()
        for index in range(segmentation.GetNumberOfSegments())
    ]
    assert names == ["Anterior hippocampus", "Posterior hippocampus"]
    segment = segmentation.GetNthSegment(0)
    assert tagOf(segment, "DiffusionSeg.seed") == "4"
    assert tagOf(segment, "DiffusionSeg.method") == "cdal"
    assert client.is_running, "a worker that was lent goes on"


def test_nothing_found_makes_no_node(client: Any, scene: Any) -> None:
    import numpy as np
    import slicer

    from DiffusionSegLib.errors import InputError
    from DiffusionSegPanel.outline_once import outlineOnce

    noise = np.random.default_rng(0).normal(100, 10, (36, 48, 34)).astype(np.float32)
    volume = slicer.util.addVolumeFromArray(noise, name="Noise")
    with pytest.raises(InputError, match="Nothing was found in Noise"):
        outlineOnce(volume, method="cdal", samples=1, client=client)
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0


def test_a_wrong_name_is_a_sentence(client: Any, scene: Any) -> None:
    import numpy as np
    import slicer

    from DiffusionSegLib.errors import DiffusionSegError
    from DiffusionSegPanel.outline_once import outlineOnce

    volume = slicer.util.addVolumeFromArray(np.zeros((4, 4, 4), np.float32))
    with pytest.raises(DiffusionSegError, match="hippocampus"):
        outlineOnce(volume, method="cdal", model="hipocampus", client=client)
