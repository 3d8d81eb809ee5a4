"""How far two attention maps are apart (DiffSeg, equation 3)."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["log_of", "symmetric_kl"]

_SMALLEST = 1e-20  # of a probability, so that its logarithm is a number


def log_of(maps: Tensor) -> Tensor:
    """Natural logarithm of probabilities; zero counts as 1e-20."""
    return maps.clamp_min(_SMALLEST).log_()


def symmetric_kl(p: Tensor, log_p: Tensor, q: Tensor, log_q: Tensor) -> Tensor:
    """D = ½ (KL(p‖q) + KL(q‖p)) in nats, of every row of p and every row of q: (P, Q).

    p, q: (P, n) and (Q, n), rows sum to 1; log_p, log_q: log_of them. As
    ½ [Σ p ln p + Σ q ln q − Σ p ln q − Σ q ln p], all pairs are two matrix products.
    """
    own_p = torch.einsum("ij,ij->i", p, log_p)
    own_q = torch.einsum("ij,ij->i", q, log_q)
    crossed = torch.addmm(p @ log_q.T, log_p, q.T)
    return (own_p[:, None] + own_q[None, :] - crossed) / 2
