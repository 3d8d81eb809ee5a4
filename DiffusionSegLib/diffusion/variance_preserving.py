"""The few-step variance-preserving process of denoising-diffusion GANs, as cDAL uses it.

Time runs over T + 1 noise levels. Index 0 is (almost) clean, index T is (almost) pure noise.
The forward step goes from index t to t + 1; the network sees index t + 1 and predicts the clean
mask; the posterior brings it back to index t.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_SMALLEST_TIME = 1e-3  # the released process never asks for exactly clean data
_FIRST_BETA = 1e-8  # noise of the "clean" index 0
_SMALLEST_VARIANCE = 1e-20


@dataclass(frozen=True)
class VariancePreservingConfig:
    """steps: T, number of denoising steps (1 to 1000); beta_min, beta_max: of the linear rate."""

    steps: int = 2
    beta_min: float = 0.1
    beta_max: float = 20.0

    def __post_init__(self) -> None:
        if not 1 <= self.steps <= 1000:
            raise ValueError(f"steps must lie between 1 and 1000, got {self.steps}")
        if not 0 < self.beta_min < self.beta_max:
            raise ValueError(f"need 0 < beta_min < beta_max, got {self.beta_min}, {self.beta_max}")


@dataclass(frozen=True)
class PosteriorStep:
    """One reverse step. ``sample``: the mask at index t; ``clean``: the prediction it came from."""

    sample: Tensor
    clean: Tensor


class VariancePreservingProcess:
    """Noise schedule, forward process and Gaussian posterior.

    Every table is float64 and has T entries, or T + 1 where index 0 means (almost) clean.
    Masks live in [-1, 1]. Integer times ``t`` lie in 0..T-1 and are shared by a whole batch
    (int) or given per sample (tensor of shape (B,)).
    """

    def __init__(self, config: VariancePreservingConfig) -> None:
        self.config = config
        # log ᾱ(t) = −½ t² (β_max − β_min) − t β_min, on t_i = (i / T)(1 − 1e-3) + 1e-3
        index = torch.arange(config.steps + 1, dtype=torch.float64)
        time = index / config.steps * (1 - _SMALLEST_TIME) + _SMALLEST_TIME
        slope = config.beta_max - config.beta_min
        alpha_bar = torch.exp(-0.5 * time**2 * slope - time * config.beta_min)
        beta = 1 - alpha_bar[1:] / alpha_bar[:-1]

        first = torch.full((1,), _FIRST_BETA, dtype=torch.float64)
        forward_beta = torch.cat([first, beta])
        self.step_signal = torch.sqrt(1 - forward_beta)  # a_t
        self.step_noise = torch.sqrt(forward_beta)  # σ_t
        self.signal = torch.cumprod(
            self.step_signal, 0
        )  # a_cum: how much of the clean mask is left
        self.noise = torch.sqrt(1 - self.signal**2)  # σ_cum

        # Posterior q(x_t | x_{t+1}, x_0): uses β_1..β_T only, with ᾱ restarted at 1.
        self.beta = beta
        alpha = 1 - beta
        self.alpha_bar = torch.cumprod(alpha, 0)
        previous = torch.cat([torch.ones(1, dtype=torch.float64), self.alpha_bar[:-1]])
        rest = 1 - self.alpha_bar
        self.clean_weight = beta * torch.sqrt(previous) / rest  # c1
        self.noisy_weight = (1 - previous) * torch.sqrt(alpha) / rest  # c2
        self.variance = beta * (1 - previous) / rest

    @property
    def steps(self) -> int:
        """T, the number of denoising steps."""
        return self.config.steps

    def diffuse(self, clean: Tensor, t: int | Tensor, noise: Tensor) -> Tensor:
        """x_t = a_cum[t] x_0 + σ_cum[t] ε, for t in 0..T; ``noise`` is ε, shaped as ``clean``."""
        return _at(self.signal, t, clean) * clean + _at(self.noise, t, clean) * noise

    def diffuse_pair(
        self, clean: Tensor, t: int | Tensor, noise: Tensor, next_noise: Tensor
    ) -> tuple[Tensor, Tensor]:
        """(x_t, x_{t+1}) for t in 0..T-1, where x_{t+1} continues from x_t with fresh noise."""
        here = self.diffuse(clean, t, noise)
        further = t + 1
        step = _at(self.step_signal, further, clean) * here
        return here, step + _at(self.step_noise, further, clean) * next_noise

    def posterior(
        self, clean: Tensor, noisy: Tensor, t: int | Tensor, noise: Tensor | None
    ) -> PosteriorStep:
        """Sample x_t given the predicted clean mask and x_{t+1}; no noise is added where t = 0.

        ``noise`` may be None only where it would not be used (t == 0).
        """
        mean = _at(self.clean_weight, t, clean) * clean + _at(self.noisy_weight, t, clean) * noisy
        if noise is None:
            return PosteriorStep(mean, clean)
        scale = torch.sqrt(self.variance.clamp(min=_SMALLEST_VARIANCE))
        scale[0] = 0.0
        return PosteriorStep(mean + _at(scale, t, clean) * noise, clean)


def _at(table: Tensor, t: int | Tensor, like: Tensor) -> Tensor:
    """Row ``t`` of a table, in the precision of ``like`` and shaped to multiply it."""
    if isinstance(t, int):
        return table[t].to(like.device, like.dtype)
    row = table.to(t.device)[t].to(like.device, like.dtype)
    return row.reshape(-1, *[1] * (like.ndim - 1))
