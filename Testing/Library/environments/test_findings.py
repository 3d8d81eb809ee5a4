"""Real Pythons with really broken packages are looked at, and each fault has its sentence."""

import os
import sys
from dataclasses import replace

import pytest

from DiffusionSegLib.environments.driver import NvidiaDriver
from DiffusionSegLib.environments.findings import Remedy, findings
from DiffusionSegLib.environments.marker import NAME
from DiffusionSegLib.environments.probing import Probe, probe
from DiffusionSegLib.environments.torch_builds import PINNED
from DiffusionSegLib.errors import InputError
from Testing.Library.environments.toy_wheels import GOOD_TORCH, VERSIONS, base_python

RTX = NvidiaDriver("550.54.14", ("NVIDIA GeForce RTX 3090",), "12.4", ("8.6",))
WHOLE = Probe(
    "/env/bin/python", "3.12.4", {name.lower(): one for name, one in VERSIONS.items()},
    torch=f"{PINNED}+cpu", torch_files=True, prefix="/env", system="linux", machine="x86_64",
)  # fmt: skip


@pytest.fixture
def site(tmp_path):
    """Looks at a Python whose only packages lie in a folder; that folder."""
    folder = tmp_path / "site"
    folder.mkdir()
    for name, version in VERSIONS.items():
        module = {"pillow": "PIL"}.get(name, name)
        install(folder, name, version, {f"{module}/__init__.py": ""})
    (folder / "numpy" / "__init__.py").write_text(
        "class zeros:\n def __init__(self, n): pass\n def sum(self): return 0\n"
    )
    good = GOOD_TORCH + "\nclass ones:\n def __init__(self, n): pass\n def sum(self): return self\n"
    good += " def item(self): return 1\n def numpy(self): return self\n"
    good += "class zeros(ones):\n def cuda(self): raise AssertionError('compiled without CUDA')\n"
    (folder / "torch" / "__init__.py").write_text(good)
    return folder


def install(folder, name, version, files):
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    for path, text in files.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)


def look(folder):
    return probe((str(base_python()), "-S"), {**os.environ, "PYTHONPATH": str(folder)})


def codes(folder, driver=None, **options):
    return [one.code for one in findings(look(folder), driver, **options)]


def test_this_python_is_well():
    found = probe((sys.executable,))
    assert found.torch.startswith(PINNED) and found.torch_numpy and found.broken == ()
    assert found.version.startswith("3.") and not found.isolated
    assert os.path.samefile(found.prefix, sys.prefix)
    assert findings(found, None, ("text", "hub")) == ()


def test_a_whole_site_is_well(site):
    found = look(site)
    assert (found.torch, found.numpy_problem) == (f"{PINNED}+cpu", "")
    assert findings(found, None) == ()


def test_torch_that_is_missing(site):
    (site / "torch" / "__init__.py").unlink()
    (site / "torch").rmdir()
    (site / f"torch-{PINNED}+cpu.dist-info" / "METADATA").unlink()
    (site / f"torch-{PINNED}+cpu.dist-info").rmdir()
    (one,) = findings(look(site), None)
    assert (one.code, one.remedy, one.blocks) == ("torch-missing", Remedy.INSTALL_TORCH, True)
    assert str(base_python()) in one.sentence


def test_torch_that_is_listed_and_has_no_files(site):
    (site / "torch" / "__init__.py").unlink()
    (site / "torch").rmdir()
    (one,) = findings(look(site), None)
    assert one.code == "torch-half-installed" and one.blocks
    assert PINNED in one.sentence and "its files are gone" in one.sentence


def test_torch_whose_folder_is_empty(site):
    (site / "torch" / "__init__.py").unlink()
    (one,) = findings(look(site), None)
    assert (one.code, one.remedy) == ("torch-half-installed", Remedy.REPLACE_TORCH)


def test_torch_that_raises(site):
    (site / "torch" / "__init__.py").write_text("from torch._C import nothing\n")
    (one,) = findings(look(site), None)
    assert one.code == "torch-half-installed" and "torch._C" in one.sentence


def test_torch_that_ends_its_process_is_a_sentence(site):
    (site / "torch" / "__init__.py").write_text("import os; os.abort()\n")
    (one,) = findings(look(site), None)
    assert one.code == "torch-half-installed" and one.blocks
    assert "stopped the Python that imported it" in one.sentence


def test_torch_without_a_library_of_the_system(site):
    (site / "torch" / "__init__.py").write_text(
        "raise OSError('libcudart.so.12: cannot open shared object file: No such file')\n"
    )
    (one,) = findings(look(site), None)
    assert one.code == "torch-library-missing" and "libcudart.so.12" in one.sentence


def test_numpy_of_which_torch_was_not_built(site):
    text = (site / "torch" / "__init__.py").read_text()
    broken = text.replace("def numpy(self): return", "def numpy(self): raise RuntimeError('x') or")
    (site / "torch" / "__init__.py").write_text(broken)
    (one,) = findings(look(site), None)
    assert one.code == "numpy-clash" and VERSIONS["numpy"] in one.sentence and one.blocks


def test_numpy_that_does_not_load(site):
    (site / "numpy" / "__init__.py").write_text("raise ImportError('numpy._core is broken')\n")
    assert codes(site) == ["numpy-broken"]


def test_numpy_of_the_wrong_version(site):
    (site / f"numpy-{VERSIONS['numpy']}.dist-info").rename(site / "numpy-1.19.5.dist-info")
    text = "Metadata-Version: 2.1\nName: numpy\nVersion: 1.19.5\n"
    (site / "numpy-1.19.5.dist-info" / "METADATA").write_text(text)
    (one,) = findings(look(site), None)
    assert (one.code, one.remedy) == ("package-too-old", Remedy.INSTALL_PACKAGES)
    assert "1.19.5" in one.sentence and ">=1.26" in one.sentence and one.blocks


def test_packages_that_are_missing_or_have_lost_their_files(site):
    (site / "rich-15.0.0.dist-info" / "METADATA").unlink()
    (site / "rich-15.0.0.dist-info").rmdir()
    (site / "scipy" / "__init__.py").unlink()
    found = findings(look(site), None)
    assert sorted(one.code for one in found) == ["package-broken", "package-missing"]
    assert all(one.blocks for one in found)


def test_what_an_extra_lacks_does_not_block(site):
    found = findings(look(site), None, ("text",))
    assert {one.code for one in found} == {"package-missing"}
    assert not any(one.blocks for one in found)


def test_a_program_that_is_no_python():
    with pytest.raises(InputError, match=r"'/no/such'.*cannot be started"):
        probe(("/no/such",))
    with pytest.raises(InputError, match="did not answer within 0 s"):
        probe((str(base_python()),), timeout_s=0.001)


@pytest.mark.skipif(os.name != "posix", reason="a program of Unix")
def test_a_program_that_says_something_else():
    with pytest.raises(InputError, match=r"does not work as a Python \(exit code 1"):
        probe(("/bin/false",))


def one_of(driver, *, in_slicer=False, pytorch_extension=False, **changes):
    found = findings(
        replace(WHOLE, **changes), driver, in_slicer=in_slicer, pytorch_extension=pytorch_extension
    )
    assert len(found) == 1, found
    return found[0]


def test_torch_for_the_processor_on_a_computer_with_a_card():
    one = one_of(RTX)
    assert (one.code, one.remedy, one.blocks) == ("torch-cpu-only", Remedy.REPLACE_TORCH, False)
    assert (
        "RTX 3090" in one.sentence and "cu126" in one.sentence and f"{PINNED}+cpu" in one.sentence
    )


def test_a_driver_that_is_too_old_for_torch():
    one = one_of(replace(RTX, version="535.1"), torch=f"{PINNED}+cu130", torch_cuda="13.0")
    assert (one.code, one.remedy) == ("driver-too-old", Remedy.UPDATE_DRIVER)
    assert "535.1" in one.sentence and "580" in one.sentence and "cu126" in one.sentence


def test_a_driver_that_is_too_old_for_every_torch():
    one = one_of(replace(RTX, version="418.87"))
    assert (one.code, one.remedy) == ("driver-too-old", Remedy.UPDATE_DRIVER)


def test_a_card_whose_driver_does_not_answer():
    one = one_of(NvidiaDriver("", ("an NVIDIA GPU",), "", (), "it has failed"))
    assert (one.code, one.remedy) == ("driver-missing", Remedy.UPDATE_DRIVER)
    assert "it has failed" in one.sentence


@pytest.mark.parametrize(
    ("capability", "architectures", "code", "build"),
    [
        ("12.0", ("sm_50", "sm_80", "sm_86", "sm_90"), "gpu-too-new", "cu132"),
        ("6.1", ("sm_75", "sm_80", "sm_120", "compute_120"), "gpu-too-old", "cu126"),
    ],
)
def test_a_card_that_torch_has_no_code_for(capability, architectures, code, build):
    driver = NvidiaDriver("595.10", ("a card",), "13.2", (capability,))
    cuda = "12.6" if code == "gpu-too-new" else "13.2"
    one = one_of(
        driver, torch=f"{PINNED}+cu", torch_cuda=cuda, capability=capability,
        architectures=architectures, cuda_problem="no kernel image is available",
    )  # fmt: skip
    assert (one.code, one.remedy) == (code, Remedy.REPLACE_TORCH)
    assert capability in one.sentence and build in one.sentence and "sm_80" in one.sentence


def test_a_card_that_no_torch_has_code_for():
    driver = NvidiaDriver("390.1", ("GT 710",), "", ("3.0",))
    one = one_of(driver, torch="2.7.1+cu118", torch_cuda="", capability="3.0")
    assert one.code in ("driver-too-old", "gpu-too-old") and not one.blocks


def test_a_card_that_fails_otherwise():
    one = one_of(RTX, torch_cuda="12.6", cuda_problem="CUDA error: out of memory")
    assert (one.code, one.remedy) == ("gpu-fails", Remedy.NOTHING)
    assert "out of memory" in one.sentence


def test_a_card_that_works_is_no_finding():
    works = replace(WHOLE, torch_cuda="12.6", cuda_works=True)
    assert findings(works, RTX) == ()
    assert findings(replace(WHOLE, system="darwin"), RTX) == ()


@pytest.mark.parametrize(
    ("options", "isolated", "remedy"),
    [
        ({}, True, Remedy.REPAIR_ENVIRONMENT),
        ({"in_slicer": True}, False, Remedy.INSTALL_PYTORCH_EXTENSION),
        ({"in_slicer": True, "pytorch_extension": True}, False, Remedy.INSTALL_TORCH),
        ({}, False, Remedy.INSTALL_TORCH),
    ],
)
def test_the_button_depends_on_where_torch_would_go(options, isolated, remedy):
    packages = {name: one for name, one in WHOLE.packages.items() if name != "torch"}
    lost = {"torch": None, "torch_files": False, "packages": packages}
    one = one_of(None, isolated=isolated, **options, **lost)
    assert (one.code, one.remedy) == ("torch-missing", remedy)


def test_the_sentence_names_that_button():
    own = one_of(RTX, isolated=True).sentence
    assert "repair the environment, which brings the build cu126 for CUDA 12.6" in own
    assert "install torch in the build cu126" in one_of(RTX).sentence
    broken = {"torch": None, "torch_problem": "ImportError: x"}
    assert one_of(None, isolated=True, **broken).sentence.endswith("; repair the environment.")
    assert one_of(None, **broken).sentence.endswith("; install torch again.")


def test_an_environment_of_this_program_is_known(site, monkeypatch, tmp_path):
    from DiffusionSegLib.environments import probe_script

    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert not probe_script.is_isolated()
    (tmp_path / NAME).write_text("{}")
    assert probe_script.is_isolated()


def test_windows_libraries_and_long_paths():
    missing = 'OSError: [WinError 126] Error loading "C:\\x\\torch\\lib\\c10.dll"'
    one = one_of(None, torch=None, torch_problem=missing, system="win32", prefix="C:\\x")
    assert one.code == "torch-library-missing" and "vc_redist" in one.sentence
    long = "OSError: [WinError 206] The filename or extension is too long"
    found = findings(replace(WHOLE, torch=None, torch_problem=long, system="win32"), None)
    assert found[0].code == "path-too-long"
    assert "enable-long-paths" in found[0].sentence


def test_a_python_or_a_torch_that_is_too_old():
    assert one_of(None, version="3.9.10").code == "python-too-old"
    one = one_of(None, torch="2.2.2")
    assert one.code == "torch-too-old" and "2.2.2" in one.sentence and ">=2.4" in one.sentence
