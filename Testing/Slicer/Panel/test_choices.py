"""Method, model, device, parameters: whatever the worker describes appears, without a line here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

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
    opened.until(lambda: opened.page.link.catalogue is not None)
    catalogue, method = opened.page.link.catalogue, words_method()
    model = replace(
        catalogue.models[0], id="words/any", method="words", name="any", title="Any", default=True
    )
    opened.page.link.catalogue = replace(
        catalogue, methods=(*catalogue.methods, method), models=(*catalogue.models, model)
    )
    opened.page.refresh()


def choose_cdal(opened: Any) -> None:
    """The method whose models differ in what they take."""
    opened.page.parameters.method = "cdal"
    opened.until(lambda: opened.page.choice().method.name == "cdal")


def test_all_models_are_offered_and_the_default_is_chosen(opened: Any) -> None:
    ui = opened.ui
    opened.until(lambda: ui.modelCombo.count > 0)
    assert ui.methodCombo.currentText == "ADZUS"
    assert opened.page.parameters.model in ("", "compact")
    choose_cdal(opened)
    names = {ui.modelCombo.itemData(index) for index in range(ui.modelCombo.count)}
    assert {"hippocampus", "nuclei", "sarcoma", "skin-lesion"} <= names
    assert ui.modelCombo.currentText == "Hippocampus (MR)"
    assert ui.methodCombo.currentText == "cDAL"
    assert ui.methodCombo.toolTip.startswith("cDAL: conditional diffusion")


def test_another_method_brings_its_own_tools_and_parameters(opened: Any) -> None:
    opened.load()
    offer_words(opened)
    ui, page = opened.ui, opened.page
    words = ui.methodCombo.findData("words")
    ui.methodCombo.setCurrentIndex(words)
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
    # A number between two limits has a slider, and here its step is a hundredth of the way.
    slider = fields["strength"]
    assert (slider.minimum, slider.maximum, slider.decimals) == (0.0, 1.0, 2)
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
    ui.methodCombo.setCurrentIndex(ui.methodCombo.findData("cdal"))
    assert next(iter(page.settingsSection.parameters.widgets)) == "tolerance"
    assert page.request()[2].text == ""
    ui.methodCombo.setCurrentIndex(words)
    assert page.settingsSection.parameters.widgets["steps"].value == 50


def test_a_model_of_two_images_asks_for_the_second(opened: Any) -> None:
    import slicer

    opened.ready()
    choose_cdal(opened)
    ui, page = opened.ui, opened.page
    page.parameters.model = "sarcoma"
    assert ui.secondSelector.isVisibleTo(opened.module.frame)
    labels = (ui.inputLabel.text, ui.secondLabel.text)
    assert sorted(labels) == ["CT", "MR"]
    folder = SAMPLES / "sts_ct_mr" / "images"
    first, second = (
        slicer.util.loadVolume(str(folder / f"STS_021_{label.lower()}.nii.gz")) for label in labels
    )
    page.parameters.inputVolume = None
    assert opened.status == "Choose a volume to outline."
    ui.secondSelector.setCurrentNode(second)
    assert page.request()[0] == [second]
    page.segment()
    assert page.link.client.sent[-1].channel_names == (labels[1],)
    page.outliner.stop()
    page.parameters.inputVolume = first
    assert page.request()[0] == [first, second]
    assert page.outliner.channelNames([first, second]) == labels
    page.parameters.model = "hippocampus"
    assert page.request()[0] == [first]
    assert not ui.secondSelector.isVisibleTo(opened.module.frame)


def test_a_color_image_for_a_model_of_gray_images_is_said_before_the_run(opened: Any) -> None:
    from DiffusionSegBridge.volumes import volumeFromImage
    from DiffusionSegLib.nouns.image import Image

    opened.ready()
    photograph = Image.read(SAMPLES / "isic2017_98" / "images" / "ISIC_0012206.jpg")
    opened.page.parameters.inputVolume = volumeFromImage(photograph, "Photograph")
    opened.page.parameters.method = "adzus"
    opened.until(lambda: opened.ui.segmentButton.enabled)  # it takes any image
    choose_cdal(opened)
    assert opened.status == (
        "Photograph is a color image, but the model Hippocampus (MR) takes MR; choose another "
        "model."
    )
    assert not opened.ui.segmentButton.enabled
    opened.page.parameters.model = "skin-lesion"
    assert opened.ui.segmentButton.enabled


def test_a_model_that_needs_both_images_asks_for_the_second(opened: Any) -> None:
    opened.ready()
    page = opened.page
    choose_cdal(opened)
    models = [
        replace(model, inputs=tuple(replace(one, required=True) for one in model.inputs))
        for model in page.link.catalogue.models
    ]
    page.link.catalogue = replace(page.link.catalogue, models=tuple(models))
    page.parameters.model = "sarcoma"
    assert opened.status == (
        "The model Soft-tissue sarcoma (CT, T1 MR) also needs MR: choose its volume."
    )


def test_a_model_that_is_not_here_yet_is_listed_as_such(opened: Any) -> None:
    opened.until(lambda: opened.page.link.catalogue is not None)
    name = "stable-diffusion-1-5"
    opened.page.parameters.model = name
    texts = [opened.ui.modelCombo.itemText(i) for i in range(opened.ui.modelCombo.count)]
    assert texts.count("Anything (bundled compact diffusion model)") == 1
    assert opened.ui.modelCombo.currentText.endswith("from the hub) (not downloaded)")
    told = opened.ui.summaryLabel.text
    assert "4.3 GB" in told and f"diffusionseg models download adzus/{name}" in told
    page = opened.page
    models = tuple(replace(one, state="ready") for one in page.link.catalogue.models)
    page.link.catalogue = replace(page.link.catalogue, models=models)
    page.refresh()
    assert opened.ui.modelCombo.currentText.endswith("from the hub)")
    assert "models download" not in opened.ui.summaryLabel.text


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
    assert "GPU nine: its driver is too old; update it." in ui.deviceCombo.toolTip
    assert not ui.deviceReasonLabel.isVisibleTo(opened.module.frame)
    index = names.index("cuda:9")
    assert ui.deviceCombo.itemText(index) == "GPU nine (unusable)"
    ui.deviceCombo.setCurrentIndex(index)
    assert ui.deviceReasonLabel.text == "its driver is too old; update it."
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
