"""Method, model, device, parameters: whatever the worker describes appears, without a line here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from Testing.Slicer.Panel.conftest import SAMPLES


def words_method() -> Any:
    """A method that no code of the panel knows."""
    from DiffusionSegLib.methods.contract import MethodDescription, ParameterSpec

    return MethodDescription(
        "words",
        "WORDS: outlines what is named",
        "Words only.",
        "Somebody, 2026.",
        frozenset({"text"}),
        (
            ParameterSpec("steps", "int", 20, "Steps", "How many.", "Eq. 3", 1, 1000),
            ParameterSpec("strength", "float", 0.5, "Strength", "How far.", "Eq. 4", 0.0, 1.0),
            ParameterSpec("mirror", "bool", True, "Mirror", "Both sides.", "our choice"),
            ParameterSpec(
                "layer", "choice", "middle", "Layer", "Which.", "Fig. 2", choices=("top", "middle")
            ),
        ),
        refines=False,
        trains=False,
    )


def offer_words(opened: Any) -> None:
    """The worker offers a second method."""
    opened.until(lambda: opened.page.link.hello is not None)
    catalogue, method = opened.page.link.catalogue, words_method()
    model = replace(
        catalogue.models[0], id="words/any", method="words", name="any", title="Any", default=True
    )
    opened.page.link.catalogue = replace(
        catalogue, methods=(*catalogue.methods, method), models=(*catalogue.models, model)
    )
    opened.page.refresh()


def test_all_models_are_offered_and_the_default_is_chosen(opened: Any) -> None:
    ui = opened.ui
    opened.until(lambda: ui.modelCombo.count > 0)
    names = {ui.modelCombo.itemData(index) for index in range(ui.modelCombo.count)}
    assert {"hippocampus", "nuclei", "sarcoma", "skin-lesion"} <= names
    assert ui.modelCombo.currentText == "Hippocampus (MR)"
    assert ui.methodCombo.currentText == "cDAL"
    assert ui.methodCombo.toolTip.startswith("cDAL: conditional diffusion")


def test_another_method_brings_its_own_tools_and_parameters(opened: Any) -> None:
    opened.load()
    offer_words(opened)
    ui, page = opened.ui, opened.page
    ui.methodCombo.setCurrentIndex(1)
    assert page.parameters.method == "words"
    assert ui.textEdit.enabled
    for button in (ui.includeButton, ui.excludeButton, ui.boxButton, ui.scribbleCheckBox):
        assert not button.enabled
    assert ui.includeButton.toolTip == "WORDS works without points."
    fields = page.settingsSection.parameters.widgets
    assert list(fields) == ["steps", "strength", "mirror", "layer"]
    assert (fields["steps"].minimum, fields["steps"].maximum, fields["steps"].value) == (
        1,
        1000,
        20,
    )
    assert "Eq. 3" in fields["steps"].toolTip
    fields["steps"].value = 50
    fields["strength"].value = 0.25
    fields["mirror"].checked = False
    fields["layer"].setCurrentIndex(0)
    ui.textEdit.text = "left kidney"
    _volumes, setup, prompt = page.request()
    assert dict(setup.parameters) == {
        "steps": 50,
        "strength": 0.25,
        "mirror": False,
        "layer": "top",
    }
    assert prompt.text == "left kidney"
    fields["mirror"].checked = True  # the default again: no longer saved
    assert "mirror" not in dict(page.request()[1].parameters)
    ui.methodCombo.setCurrentIndex(0)
    assert next(iter(page.settingsSection.parameters.widgets)) == "tolerance"
    assert page.request()[2].text == ""
    ui.methodCombo.setCurrentIndex(1)
    assert page.settingsSection.parameters.widgets["steps"].value == 50


def test_a_model_of_two_images_asks_for_the_second(opened: Any) -> None:
    import slicer

    opened.ready()
    ui, page = opened.ui, opened.page
    page.parameters.model = "sarcoma"
    assert ui.secondSelector.isVisibleTo(opened.module.frame)
    labels = (ui.inputLabel.text, ui.secondLabel.text)
    assert sorted(labels) == ["CT", "MR"]
    assert opened.status == (
        f"The model {ui.modelCombo.currentText} also needs {labels[1]}: choose the second volume."
    )
    folder = SAMPLES / "sts_ct_mr" / "images"
    first, second = (
        slicer.util.loadVolume(str(folder / f"STS_021_{label.lower()}.nii.gz")) for label in labels
    )
    page.parameters.inputVolume = first
    ui.secondSelector.setCurrentNode(second)
    assert page.request()[0] == [first, second]
    page.parameters.model = "hippocampus"
    assert page.request()[0] == [first]
    assert not ui.secondSelector.isVisibleTo(opened.module.frame)


@pytest.mark.parametrize(
    ("model", "sample", "sentence"),
    [
        ("nuclei", "msd_hippocampus/images/hippocampus_033.nii.gz", "has one value per voxel"),
        ("hippocampus", "isic2017_98/images/ISIC_0012206.jpg", "is a color image"),
    ],
)
def test_the_wrong_kind_of_image_is_named_before_the_run(
    opened: Any, model: str, sample: str, sentence: str
) -> None:
    import slicer

    opened.ready()
    opened.page.parameters.inputVolume = slicer.util.loadVolume(str(SAMPLES / sample))
    opened.page.parameters.model = model
    assert sentence in opened.status
    assert not opened.ui.segmentButton.enabled
    opened.page.parameters.model = "skin-lesion" if model == "hippocampus" else "hippocampus"
    assert opened.ui.segmentButton.enabled


def test_a_device_that_cannot_be_used_says_why(opened: Any) -> None:
    opened.ready()
    page, ui = opened.page, opened.ui
    from DiffusionSegLib.worker.answers import DeviceReport

    broken = DeviceReport("cuda:9", "GPU nine", False, "its driver is too old; update it.")
    page.link.hello = replace(page.link.hello, devices=(*page.link.hello.devices, broken))
    page.refresh()
    names = [ui.deviceCombo.itemData(index) for index in range(ui.deviceCombo.count)]
    assert names[0] == "auto"
    assert "cpu" in names
    assert "GPU nine: its driver is too old; update it." in ui.deviceReasonLabel.text
    ui.deviceCombo.setCurrentIndex(names.index("cuda:9"))
    assert opened.status == (
        "The device GPU nine cannot be used: its driver is too old; update it."
    )
    ui.deviceCombo.setCurrentIndex(names.index("cpu"))
    assert page.request()[1].device == "cpu"
    assert page.settings.device == "cpu"


def test_a_device_that_is_gone_is_chosen_by_the_worker(opened: Any) -> None:
    opened.ready()
    opened.page.settings.device = "cuda:7"
    opened.page.refresh()
    assert opened.page.request()[1].device == "auto"
    assert opened.ui.deviceCombo.currentIndex == 0
