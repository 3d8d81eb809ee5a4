"""Which settings of the network, the hub and the computation are set: their names alone."""

from __future__ import annotations

import re

from DiffusionSegLib.doctor.examined import Examined
from DiffusionSegLib.doctor.section import Section
from DiffusionSegLib.progress import Progress

__all__ = ["TITLE", "section"]

TITLE = "Settings in the environment"
_TOLD = re.compile(
    r"(HTTPS?|ALL|NO|FTP)_PROXY|HF_\w+|HUGGINGFACE_\w+|TRANSFORMERS_\w+|DIFFUSERS_\w+"
    r"|DIFFUSIONSEG_\w+|PIP_\w+|(REQUESTS|CURL)_CA_BUNDLE|SSL_CERT_(FILE|DIR)"
    r"|CUDA_\w+|HIP_\w+|ROCR_\w+|HSA_\w+|ZE_\w+|ONEAPI_\w+|SYCL_\w+|PYTORCH_\w+|TORCH_\w+"
    r"|(OMP|MKL|OPENBLAS)_\w+|PYTHON(PATH|HOME|NOUSERSITE|WARNINGS)|XDG_(DATA|CACHE)_HOME",
    re.IGNORECASE,
)


def section(examined: Examined, progress: Progress) -> Section:
    """Values may be addresses inside a hospital, or tokens, and are not told."""
    names = sorted(
        name for name, value in examined.variables.items() if value and _TOLD.fullmatch(name)
    )
    line = ", ".join(names) if names else "none"
    return Section(TITLE, (line,), (), {"set": names})
