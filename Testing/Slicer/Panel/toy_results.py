"""Results as the worker gives them, made here: small, and known voxel by voxel."""

from __future__ import annotations

from typing import Any

from DiffusionSegLib.nouns.prompt import Prompt
from DiffusionSegLib.worker.setup import Setup
from Testing.Slicer.Bridge.results import proposal, volume

__all__ = ["arrive", "toyVolume"]


def toyVolume(opened: Any, scene: Any, **more: Any) -> Any:
    """A small volume, chosen on the page."""
    node = volume(scene, **more)
    node.CreateDefaultDisplayNodes()
    opened.page.parameters.inputVolume = node
    return node


def arrive(opened: Any, node: Any, *array: Any, prompt: Prompt | None = None, **more: Any) -> Any:
    """A proposal for the volume arrives on the page; returns it, once it is ready if ``wait``."""
    from DiffusionSegPanel.outliner import OutlineResult

    kind, wait = more.pop("kind", "propose"), more.pop("wait", True)
    found = proposal(node, *array, **more)
    answer = OutlineResult(found, node.GetID(), prompt or Prompt(), Setup("cdal"), kind)
    opened.page.outliner.started.emit(kind)
    opened.page.outliner.finished.emit(answer)
    if wait:  # on a busy machine even a small one takes a moment
        opened.until(lambda: not opened.page.result.preparation.isUnderWay)
    return found
