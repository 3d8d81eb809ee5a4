"""Captures attention maps while a network runs, and stops it when the last one is there.

Nothing of the network is replaced. Each wanted layer computes its attention through torch's
scaled_dot_product_attention; inside a wanted layer that one call is answered with the same result,
and the map is kept. Every other layer runs as it always does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from DiffusionSegLib.diffusion.attention.averaging import attend_and_average, finite
from DiffusionSegLib.diffusion.attention.grids import Grid, grid_of_tokens
from DiffusionSegLib.diffusion.attention.layers import AttentionKind, AttentionLayer
from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.progress import Progress

__all__ = ["AttentionMap", "capture_attention"]


@dataclass(frozen=True)
class AttentionMap:
    """Mean map over the heads of all layers of one group that share a grid.

    weights: float32, (rows · columns, keys); row q is what the place q of the grid looks at and
    sums to 1. The keys of a "self" map are the places themselves, those of a "cross" map the
    tokens of the text. Places are numbered row by row. group: as asked for. keys: of a "self" map,
    what the places are looked up by in the last of its layers, (places, heads · depth): features
    by which places of different images can be compared.
    """

    kind: AttentionKind
    grid: Grid
    weights: Tensor
    layers: tuple[str, ...]
    group: str = ""
    keys: Tensor | None = None

    @property
    def is_finite(self) -> bool:
        """False when a number overflowed on the way (half precision)."""
        return finite(self.weights)


def capture_attention(
    layers: Sequence[AttentionLayer],
    run: Callable[[], object],
    latent: Grid,
    progress: Progress | None = None,
    groups: Mapping[str, str] | None = None,
) -> tuple[AttentionMap, ...]:
    """Call ``run``, which is one pass of one image through the layers' network, and return maps.

    layers: the wanted ones, see find_attention_layers; the pass ends at the last of them.
    latent: rows and columns of the network's input. groups: maps of layers with different words
    are not averaged with each other. Maps come finest grid first. One map per kind, group and
    grid is held: memory does not depend on the number of layers or heads. Raises ModelError when
    there is nothing to capture, or a layer computes its attention in another way.
    """
    if not layers:
        raise ModelError(
            "This network has no attention layers that could be read; a latent diffusion model "
            "with self-attention, such as Stable Diffusion, is needed."
        )
    capture = _Capture(layers, latent, progress or Progress.silent(), groups or {})
    with torch.no_grad(), capture.watching(), suppress(_AllCaptured):
        run()
    return capture.result()


class _AllCaptured(Exception):
    """Leaves the network's forward: what comes after the last wanted map is not needed."""


class _Capture:
    """The running sums of one pass."""

    def __init__(
        self,
        layers: Sequence[AttentionLayer],
        latent: Grid,
        progress: Progress,
        groups: Mapping[str, str],
    ) -> None:
        self.layers = {layer.name: layer for layer in layers}
        self.latent = latent
        self.progress = progress
        self.groups = groups
        self.waiting = set(self.layers)
        self.current: AttentionLayer | None = None
        self.sums: dict[tuple[AttentionKind, str, Grid], Tensor] = {}
        self.names: dict[tuple[AttentionKind, str, Grid], list[str]] = {}
        self.keys: dict[tuple[AttentionKind, str, Grid], Tensor] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Layers report when they run; fused attention is asked for; both end with the block."""
        with ExitStack() as stack:
            for layer in self.layers.values():
                enter = layer.module.register_forward_pre_hook(self._entering(layer))
                stack.callback(enter.remove)
                leave = layer.module.register_forward_hook(self._leave)
                stack.callback(leave.remove)
                stack.enter_context(_fused(layer.module))
            stack.enter_context(_Answering(self))
            yield

    def _entering(self, layer: AttentionLayer) -> Callable[..., None]:
        def enter(*_: Any) -> None:
            self.current = layer

        return enter

    def _leave(self, *_: Any) -> None:
        self.current = None

    def answer(self, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        """What the attention of the running layer gives; its map is added to the sums."""
        layer = self.current
        if layer is None or query.ndim != 4 or len(query) != 1:
            raise ModelError(
                "Attention is captured for one image at a time, in layers with tensors of "
                f"(image, head, place, feature), not {tuple(query.shape)}."
            )
        self.current = None  # a second call inside the same layer is none of ours
        self.waiting.discard(layer.name)
        into = self._sum_for(layer, query.shape[2], key[0])
        needed = value[0] if self.waiting else None
        output = attend_and_average(query[0], key[0], needed, scale, into, 1.0)
        self.progress.report(1 - len(self.waiting) / len(self.layers))
        if output is None:
            raise _AllCaptured
        return output[None]

    def _sum_for(self, layer: AttentionLayer, queries: int, key: Tensor) -> Tensor:
        """key: (heads, keys, depth)."""
        keys = key.shape[1]
        if layer.kind == "self" and keys != queries:
            raise ModelError(
                f"The layer {layer.name} was taken for self-attention, but {queries} places look "
                f"at {keys} others; this network is not of a kind that can be read."
            )
        grid = grid_of_tokens(queries, self.latent)
        place = (layer.kind, self.groups.get(layer.name, ""), grid)
        self.names.setdefault(place, []).append(layer.name)
        if layer.kind == "self":
            self.keys[place] = key.transpose(0, 1).flatten(1).float()
        if place not in self.sums:
            self.sums[place] = torch.zeros(queries, keys, device=key.device)
        return self.sums[place]

    def result(self) -> tuple[AttentionMap, ...]:
        if self.waiting:
            raise ModelError(
                f"The layer {min(self.waiting)} did not compute its attention with torch's own "
                "function, or was not part of the pass, so its map cannot be read. Use the "
                "network as its library builds it, without another attention implementation."
            )
        found = [
            AttentionMap(
                kind, grid, total.div_(len(names)), tuple(names), group,
                self.keys.get((kind, group, grid)),
            )
            for (kind, group, grid), total in self.sums.items()
            if (names := self.names[kind, group, grid])
        ]
        return tuple(sorted(found, key=lambda one: (one.kind == "cross", -one.grid[0], one.group)))


class _Answering(TorchFunctionMode):
    """Sees this thread's calls of torch functions, and answers those that a capture waits for."""

    def __init__(self, capture: _Capture) -> None:
        super().__init__()
        self._capture = capture

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is F.scaled_dot_product_attention and self._capture.current is not None:
            return self._answer(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))

    def _answer(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> Tensor:
        """Dropout belongs to training and is left out."""
        if attn_mask is not None or is_causal or enable_gqa:
            raise ModelError(
                "A layer of this network masks its attention, which image networks do not; its map "
                "cannot be read."
            )
        return self._capture.answer(query, key, value, scale or query.shape[-1] ** -0.5)


@contextmanager
def _fused(module: nn.Module) -> Iterator[None]:
    """MONAI's layers call torch's attention only when this switch is on; results are the same."""
    switch = "use_flash_attention"
    before = getattr(module, switch, None)
    if before is None:
        yield
        return
    setattr(module, switch, True)
    try:
        yield
    finally:
        setattr(module, switch, before)
