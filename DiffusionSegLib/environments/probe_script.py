"""Run by another Python, which need have nothing of this program; prints what it is and has.

Only the standard library at module scope; old Pythons must understand it.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from typing import Any

MARK = "DiffusionSeg-probe:"
OWNER = "diffusionseg-environment.json"
NOTHING_OF_TORCH: dict[str, Any] = {
    "torch": None, "torch_problem": "", "torch_cuda": "", "cuda_works": False, "cuda_problem": "",
    "architectures": [], "capability": "", "torch_numpy": True, "numpy_problem": "",
}  # fmt: skip


def main() -> None:
    """Everything as JSON, in one line."""
    # What lies beside this file must not be taken for a package of that name.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [part for part in sys.path if os.path.abspath(part or ".") != here]
    told: dict[str, Any] = {
        "python": sys.executable,
        "version": platform.python_version(),
        "prefix": sys.prefix,
        "system": sys.platform,
        "machine": platform.machine(),
        "isolated": is_isolated(),
        "packages": installed(),
        "torch_files": folder_of("torch"),
    }
    told["broken"] = [name for name in sys.argv[1:] if not has_code(name)]
    told.update(NOTHING_OF_TORCH)
    for name, look in (("numpy", numpy_words), ("torch", torch_words)):
        # A broken library may end this process; then it is known which one.
        told["importing"] = name
        tell(told)
        told.update(look())
    told["importing"] = ""
    tell(told)
    os._exit(0)  # a broken library may hang when it is unloaded


def tell(told: dict[str, Any]) -> None:
    """In one line; the last one holds."""
    sys.stdout.write("\n" + MARK + json.dumps(told) + "\n")
    sys.stdout.flush()


def is_isolated() -> bool:
    """Whether this Python is an environment of DiffusionSeg."""
    return os.path.isfile(os.path.join(sys.prefix, OWNER))


def installed() -> dict[str, str]:
    """Names as PEP 503 writes them, and versions; without a version it is half there."""
    import importlib.metadata
    import re

    found: dict[str, str] = {}
    for one in importlib.metadata.distributions():
        try:
            name, version = one.metadata["Name"], one.version
        except Exception:  # noqa: BLE001  whatever a broken installation raises
            continue
        if name:
            found.setdefault(re.sub(r"[-_.]+", "-", str(name)).lower(), str(version or ""))
    return found


def folder_of(name: str) -> bool:
    """Whether a folder or a file of that module lies on the path."""
    return any(
        os.path.isdir(os.path.join(part, name)) or os.path.isfile(os.path.join(part, name + ".py"))
        for part in sys.path
    )


def has_code(name: str) -> bool:
    """Whether a module of that name has more than an empty folder; it is not imported."""
    import importlib.util

    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return False
    return found is not None and found.origin is not None


def numpy_words() -> dict[str, Any]:
    """What its import says; "" when it works."""
    try:
        import numpy

        numpy.zeros(2).sum()
    except BaseException as error:  # noqa: BLE001  whatever a broken package raises
        return {"numpy_problem": said(error)}
    return {"numpy_problem": ""}


def torch_words() -> dict[str, Any]:
    """torch, its CUDA and what they say."""
    told = dict(NOTHING_OF_TORCH)
    del told["numpy_problem"]
    try:
        import torch

        told["torch"] = str(torch.__version__)
        torch.ones(2).sum().item()
    except ModuleNotFoundError as error:
        told["torch"] = None
        told["torch_problem"] = "" if error.name == "torch" else said(error)
        return told
    except BaseException as error:  # noqa: BLE001  whatever a broken package raises
        told["torch"] = None
        told["torch_problem"] = said(error)
        return told
    told["torch_cuda"] = str(getattr(getattr(torch, "version", None), "cuda", None) or "")
    told.update(cuda_words(torch))
    told["torch_numpy"] = shares_arrays(torch)
    return told


def shares_arrays(torch: Any) -> bool:
    """Whether torch was built for this numpy."""
    try:
        torch.ones(2).numpy()
    except BaseException:  # noqa: BLE001  whatever a broken package raises
        return False
    return True


def cuda_words(torch: Any) -> dict[str, Any]:
    """A computation on the first card."""
    told: dict[str, Any] = {}
    try:
        if not torch.cuda.is_available():
            torch.zeros(1).cuda()
            return {"cuda_problem": "torch finds no NVIDIA GPU"}
        told["architectures"] = list(torch.cuda.get_arch_list())
        told["capability"] = "%d.%d" % torch.cuda.get_device_capability(0)  # noqa: UP031
        told["cuda_works"] = bool((torch.ones(1).cuda() + 1).item() == 2)
    except BaseException as error:  # noqa: BLE001  whatever a broken driver raises
        told["cuda_problem"] = said(error)
    return told


def said(error: BaseException) -> str:
    """The exception in one line, or at most 400 characters."""
    text = " ".join(("%s: %s" % (type(error).__name__, error)).split())  # noqa: UP031
    return text[:400]


if __name__ == "__main__":
    main()
