"""What every file of the bridge says about MRML nodes."""

from __future__ import annotations

from typing import Any

from DiffusionSegLib.errors import InputError

__all__ = ["Node", "Scene", "currentScene", "nodeName", "required"]

# Slicer's classes come without types.
Node = Any
Scene = Any


def currentScene(scene: Scene = None) -> Scene:
    """`scene`, or the application's scene."""
    import slicer

    return slicer.mrmlScene if scene is None else scene


def nodeName(node: Node) -> str:
    """The name that the user sees, or the ID."""
    return str(node.GetName() or node.GetID() or "unnamed")


def required(node: Node, kind: str) -> Node:
    """`node`; raises InputError when there is none."""
    if node is None:
        raise InputError(f"No {kind} is chosen; choose one.")
    return node
