"""Finds a network's attention layers by what they are made of, whatever they are called."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Literal

from torch import nn

__all__ = ["AttentionKind", "AttentionLayer", "find_attention_layers"]

AttentionKind = Literal["self", "cross"]

_SEPARATE = ("to_q", "to_k", "to_v")  # three projections
_COMBINED = "qkv"  # one projection that is split afterwards
_CONTEXT_NAMES = ("context", "encoder_hidden_states")


@dataclass(frozen=True)
class AttentionLayer:
    """One attention layer. name: its dotted path in the network; kind: what it looks at."""

    name: str
    module: nn.Module
    kind: AttentionKind


def find_attention_layers(network: nn.Module) -> tuple[AttentionLayer, ...]:
    """Every module that projects its input to queries, keys and values, in the network's order.

    The order is that of registration, which need not be the order of computation. A layer is
    "cross" when its keys come from something else than its queries (a text embedding), by the
    first of these that decides: a flag ``is_cross_attention`` (diffusers), projections of
    different input width, a forward that takes a context (MONAI).
    """
    return tuple(
        AttentionLayer(name, module, _kind(module))
        for name, module in network.named_modules()
        if _projects(module)
    )


def _projects(module: nn.Module) -> bool:
    if all(_maps(module, name) for name in _SEPARATE):
        return True
    return _maps(module, _COMBINED)


def _maps(module: nn.Module, name: str) -> bool:
    """Whether there is a projection of that name; MONAI fills unused places with identities."""
    part = getattr(module, name, None)
    return isinstance(part, nn.Module) and not isinstance(part, nn.Identity)


def _kind(module: nn.Module) -> AttentionKind:
    if _maps(module, _COMBINED):
        return "self"
    flag = getattr(module, "is_cross_attention", None)
    if isinstance(flag, bool):
        return "cross" if flag else "self"
    widths = [getattr(getattr(module, name), "in_features", None) for name in ("to_q", "to_k")]
    if None not in widths and widths[0] != widths[1]:
        return "cross"
    parameters = inspect.signature(module.forward).parameters
    return "cross" if any(name in parameters for name in _CONTEXT_NAMES) else "self"
