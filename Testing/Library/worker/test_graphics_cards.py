import platform

import pytest

from DiffusionSegLib.worker.graphics_cards import (
    graphics_cards,
    made_by,
    pci_cards,
    system_cards,
)

# As lspci -mm of pciutils 3.9 prints it.
LISTING = """\
00:00.0 "Host bridge" "Intel Corporation" "8th Gen Core Processor Host Bridge" -r07 "Dell" "0869"
00:02.0 "VGA compatible controller" "Intel Corporation" "CoffeeLake-S GT2 [UHD Graphics 630]" "" ""
01:00.0 "3D controller" "NVIDIA Corporation" "GA104GL [RTX A4000]" -ra1 "Dell" "14ad"
03:00.0 "Display controller" "Advanced Micro Devices, Inc. [AMD/ATI]" "Navi 31" -rc8 "" ""
04:00.0 "Audio device" "NVIDIA Corporation" "GA104 High Definition Audio Controller" -ra1 "" ""
05:00.0 "VGA compatible controller" "an open quotation
"""
CARDS = (
    "Intel Corporation CoffeeLake-S GT2 [UHD Graphics 630]",
    "NVIDIA Corporation GA104GL [RTX A4000]",
    "Advanced Micro Devices, Inc. [AMD/ATI] Navi 31",
)


def test_the_cards_among_all_that_is_on_the_bus():
    assert pci_cards(LISTING) == CARDS
    assert pci_cards("") == ()


def test_makers():
    assert made_by("NVIDIA", CARDS) == CARDS[1:2]
    assert made_by("AMD", CARDS) == CARDS[2:]
    assert made_by("Intel", CARDS) == CARDS[:1]
    assert made_by("NVIDIA", ("Quadro P2000",)) == ("Quadro P2000",)
    assert made_by("AMD", ("Qualcomm(R) Adreno(TM) X1-85 GPU",)) == ()


def test_without_lspci_the_system_tells_makers(tmp_path):
    for name, values in {
        "0000:00:02.0": ("0x030000", "0x8086", "0x3e92"),
        "0000:01:00.0": ("0x030200", "0x10de", "0x24b0"),
        "0000:01:00.1": ("0x040300", "0x10de", "0x228b"),  # its sound
        "0000:02:00.0": ("0x030000", "0x1af4", "0x1050"),  # a virtual screen
    }.items():
        (tmp_path / name).mkdir()
        for file, value in zip(("class", "vendor", "device"), values, strict=True):
            (tmp_path / name / file).write_text(value + "\n")
    (tmp_path / "0000:09:00.0").mkdir()
    assert system_cards(tmp_path) == ("Intel 3e92", "NVIDIA 24b0")
    assert system_cards(tmp_path / "nothing") == ()


@pytest.mark.skipif(platform.system() == "Windows", reason="a program stands in for lspci")
def test_mere_screens_are_no_gpus_and_a_stuck_lspci_holds_nothing_up(tmp_path, monkeypatch):
    lspci = tmp_path / "lspci"
    lspci.write_text(
        "#!/bin/sh\n"
        'echo \'00:01.0 "VGA compatible controller" "ASPEED Technology, Inc." "Graphics" "" ""\'\n'
        'echo \'01:00.0 "3D controller" "NVIDIA Corporation" "GA100 [A100]" "" ""\'\n'
        'echo \'02:00.0 "3D controller" "NVIDIA Corporation" "GA100 [A100]" "" ""\'\n'
    )
    lspci.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    assert graphics_cards() == ("NVIDIA Corporation GA100 [A100]",)
    lspci.write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setattr("DiffusionSegLib.worker.graphics_cards._PATIENCE_S", 0.2)
    assert isinstance(graphics_cards(), tuple)
