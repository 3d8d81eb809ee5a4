"""From the attention map and both residuals to one probability.

The paper adds the residuals, R = β₁ P_r + β₂ F_r; its weights and threshold are not stated. Here
the three opinions are added as log-odds with weights found on the training part (our choice), so
that the result is a probability and 0.5 the threshold.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Fusion"]


class Fusion(nn.Module):
    """sigmoid(β₀ + β_a a + β₁ P_r + β₂ F_r), voxel by voxel."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.tensor(0.0))
        self.map = nn.Parameter(torch.tensor(1.0))
        self.pixel = nn.Parameter(torch.tensor(1.0))
        self.feature = nn.Parameter(torch.tensor(1.0))

    def forward(self, map_logit: Tensor, pixel: Tensor, feature_logit: Tensor) -> Tensor:
        """All of one shape. map_logit: of the attention map; pixel: |x − x_H| over its scale, see
        pixel_residual; feature_logit: abnormal less normal."""
        total = self.bias + self.map * map_logit + self.pixel * pixel
        return torch.sigmoid(total + self.feature * feature_logit)
