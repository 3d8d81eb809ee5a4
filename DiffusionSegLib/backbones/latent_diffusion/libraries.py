"""The optional libraries, imported when a model is opened and not before."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from DiffusionSegLib.errors import ModelError

__all__ = ["optional_module", "quiet_loading"]


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


@contextmanager
def quiet_loading() -> Iterator[None]:
    """Inside, transformers shows no bar and no report while it loads weights, which would land in
    front of a program's own output; what went wrong is raised all the same. Afterwards it speaks as
    it did before. Raises ModelError without transformers."""
    told = optional_module("transformers.utils.logging")
    hub = optional_module("huggingface_hub.utils")
    shown, loudness = told.is_progress_bar_enabled(), told.get_verbosity()
    hub_silent = hub.are_progress_bars_disabled()
    told.disable_progress_bar()
    told.set_verbosity_error()
    try:
        yield
    finally:
        told.set_verbosity(loudness)
        if shown:
            told.enable_progress_bar()  # the hub's as well
        if hub_silent:
            hub.disable_progress_bars()
        else:
            hub.enable_progress_bars()
