"""The optional libraries, imported when a model is opened and not before."""

from __future__ import annotations

import importlib
from typing import Any

from DiffusionSegLib.errors import ModelError

__all__ = ["optional_module"]


def optional_module(name: str) -> Any:
    """The module of an optional library; raises ModelError, which says what to install."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise ModelError(
            f"This model needs the Python package {package}, which cannot be imported ({error}). "
            "Install it with: pip install 'DiffusionSeg[hub]'"
        ) from error
