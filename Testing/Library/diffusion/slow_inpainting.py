"""Latent inpainting once more, place by place from the papers' equations, slowly and in float64."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor

Network = Callable[[Tensor, float], Tensor]


def table(schedule: dict[str, object]) -> Tensor:
    """ᾱ of a scaled-linear schedule."""
    start, end = float(schedule["beta_start"]), float(schedule["beta_end"])  # type: ignore[arg-type]
    count = int(schedule["num_train_timesteps"])  # type: ignore[call-overload]
    beta = torch.linspace(start**0.5, end**0.5, count, dtype=torch.float64) ** 2
    return torch.cumprod(1 - beta, 0)


def slow_ddpm(
    known: Tensor,
    mask: Tensor,
    velocity: Network,
    left: Tensor,
    times: list[int],
    draws: Iterator[Tensor],
    jumps: int = 1,
    eta: float = 0.0,
) -> Tensor:
    """RePaint (algorithm 1) over the timesteps ``times``, from high to low, then clean.

    velocity: network(noisy, timestep) = √ᾱ ε − √(1 − ᾱ) z; left: ᾱ of every timestep; draws: the
    noise in the order of need.
    """
    known = known.double()
    here = left[times[0]]
    z = here.sqrt() * known + (1 - here).sqrt() * next(draws).double()
    for number, time in enumerate(times):
        here = left[time]
        last = number + 1 == len(times)
        then = torch.tensor(1.0).double() if last else left[times[number + 1]]
        for take in range(1 if last else jumps):
            v = velocity(z.float(), time).double()
            clean = here.sqrt() * z - (1 - here).sqrt() * v
            noise = (1 - here).sqrt() * z + here.sqrt() * v
            if last:
                z = torch.where(mask.bool(), clean, known)
                continue
            beta = 1 - here / then  # of the step from ``then`` to ``here``
            sigma = eta * ((1 - then) / (1 - here) * beta).sqrt()
            filled = then.sqrt() * clean + (1 - then - sigma**2).sqrt() * noise
            if eta:
                filled = filled + sigma * next(draws).double()
            other = then.sqrt() * known + (1 - then).sqrt() * next(draws).double()
            z = torch.where(mask.bool(), filled, other)
            if take + 1 < jumps:
                z = (1 - beta).sqrt() * z + beta.sqrt() * next(draws).double()
    return z


def slow_flow(
    known: Tensor, mask: Tensor, velocity: Network, levels: list[float], draws: Iterator[Tensor]
) -> Tensor:
    """Euler steps z ← z + (s − s') v with v ≈ z_0 − ε, the original at (1 − s') z + s' ε."""
    known = known.double()
    z = (1 - levels[0]) * known + levels[0] * next(draws).double()
    for s, then in pairwise(levels):
        z = z + (s - then) * velocity(z.float(), s).double()
        other = known
        if then > 0:
            other = (1 - then) * known + then * next(draws).double()
        z = torch.where(mask.bool(), z, other)
    return z
