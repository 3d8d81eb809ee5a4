"""An independent capture: the projections' outputs are kept, and maps are made in plain float64."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


def slow_maps(
    network: nn.Module, names: list[str], heads: dict[str, int], run: Callable[[], object]
) -> dict[str, Tensor]:
    """Head-averaged map of each named layer with ``to_q`` and ``to_k``, from an ordinary pass."""
    kept: dict[str, dict[str, Tensor]] = {name: {} for name in names}
    handles = []
    for name in names:
        for part in ("to_q", "to_k"):
            place = kept[name]

            def keep(_m: nn.Module, _i: object, out: Tensor, place=place, part=part) -> None:
                place[part] = out

            projection = network.get_submodule(f"{name}.{part}")
            handles.append(projection.register_forward_hook(keep))
    with torch.no_grad():
        run()
    for handle in handles:
        handle.remove()
    return {name: mean_map(**kept[name], heads=heads[name]) for name in names}


def mean_map(to_q: Tensor, to_k: Tensor, heads: int) -> Tensor:
    """(queries, keys) of projections (1, tokens, heads * depth), one head after the other."""
    depth = to_q.shape[-1] // heads
    total = torch.zeros(to_q.shape[1], to_k.shape[1], dtype=torch.float64)
    for head in range(heads):
        part = slice(head * depth, (head + 1) * depth)
        scores = to_q[0, :, part].double() @ to_k[0, :, part].double().T / depth**0.5
        total += torch.softmax(scores, 1)
    return total / heads
