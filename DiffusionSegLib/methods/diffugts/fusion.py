"""From the coarse mask, the attention map and both residuals to one probability.

The paper adds the residuals, R = β₁ P_r + β₂ F_r; its weights and threshold are not stated. Here
the opinions are added as log-odds with weights found on the training part (our choice), so that the
result is a probability and 0.5 the threshold.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Fusion"]


class Fusion(nn.Module):
    """sigmoid(β₀ + β_c c + β_a a + β₁ P_r + β₂ F_r), voxel by voxel, of voxels that were filled."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.tensor(0.0))
        self.coarse = nn.Parameter(torch.tensor(1.0))
        self.map = nn.Parameter(torch.tensor(1.0))
        self.pixel = nn.Parameter(torch.tensor(1.0))
        self.feature = nn.Parameter(torch.tensor(1.0))

    def forward(
        self, coarse: Tensor, map_logit: Tensor, pixel: Tensor, feature_logit: Tensor
    ) -> Tensor:
        """All of one shape. coarse: belief of the coarse mask, in [0, 1]; map_logit: of the
        attention map, abnormal less normal; pixel: |x − x_H| over its scale, see pixel_residual;
        feature_logit: abnormal less normal."""
        total = self.bias + self.coarse * coarse + self.map * map_logit + self.pixel * pixel
        return torch.sigmoid(total + self.feature * feature_logit)
