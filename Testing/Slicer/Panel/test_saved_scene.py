"""Prompts and settings come back with the scene."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def test_prompts_and_settings_come_back(opened: Any, scene: Any, tmp_path: Path) -> None:
    from DiffusionSegPanel.parameter_node import RegionMode

    opened.ready()
    ui, parameters = opened.ui, opened.page.parameters
    ui.includeButton.click()
    parameters.includePoints.AddControlPoint(*center(parameters.inputVolume))
    ui.boxButton.click()
    ui.regionRadio.click()
    parameters.text = "hippocampus <b>\u00e9\"'"
    ui.seedSpinBox.value = 11
    ui.samplesSpinBox.value = 2
    opened.page.settingsSection.parameters.widgets["brush_mm"].value = 3.5
    before = opened.page.request()
    path = tmp_path / "study.mrb"
    assert scene.WriteToMRB(str(path))
    scene.Clear(0)
    assert not opened.page.parameters.text
    assert scene.ReadFromMRB(str(path), True)
    opened.settle()
    opened.until(lambda: opened.ui.segmentButton.enabled)
    loaded, after = opened.page.parameters, opened.page.request()
    assert loaded.text == "hippocampus <b>\u00e9\"'"
    assert loaded.regionMode == RegionMode.REGION
    assert after[1] == before[1]
    assert (after[1].seed, after[1].samples, dict(after[1].parameters)) == (
        11,
        2,
        {"brush_mm": 3.5},
    )
    assert after[2].points == before[2].points
    assert after[2].boxes[0].center_ras == pytest.approx(before[2].boxes[0].center_ras)
    assert after[2].region.size_mm == pytest.approx(before[2].region.size_mm)
    assert opened.ui.includeButton.text == "Include (1)"
    assert opened.ui.seedSpinBox.value == 11
    assert opened.page.settingsSection.parameters.widgets["brush_mm"].value == 3.5


def center(volume: Any) -> list[float]:
    bounds = [0.0] * 6
    volume.GetRASBounds(bounds)
    return [(bounds[2 * axis] + bounds[2 * axis + 1]) / 2 for axis in range(3)]


def test_a_damaged_parameter_text_is_ignored(opened: Any) -> None:
    opened.ready()
    for text in ("{", "[]", '{"cdal": 3}', '{"cdal": {"brush_mm": "wide"}}', ""):
        opened.page.parameters.parametersJson = text
        assert dict(opened.page.request()[1].parameters) == {}


def test_a_model_that_this_worker_lacks_falls_back_to_the_default(opened: Any) -> None:
    opened.ready()
    opened.page.parameters.model = "pancreas"
    assert opened.page.request()[1].model == "hippocampus"
    assert opened.ui.modelCombo.currentText == "Hippocampus (MR)"
