"""The networks that attention is captured from, small and with random weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from Testing.Library.backbones.latent_diffusion.tiny import tiny_unet
from Testing.Library.reference.awake import awake, normal

CONTEXT = normal(1, 7, 16, seed=3)


def unet(**changes: Any) -> nn.Module:
    """A UNet2DConditionModel whose attention is far from uniform."""
    return awake(tiny_unet(**changes), gain=3.0)


def monai_unet(combined: bool = False) -> nn.Module:
    """MONAI's, as its chest X-ray model: one head a layer, none at the finest level."""
    from monai.networks.nets.diffusion_model_unet import DiffusionModelUNet

    network = DiffusionModelUNet(
        spatial_dims=2, in_channels=3, out_channels=3, channels=(8, 16, 24),
        attention_levels=(False, True, True), num_res_blocks=1, num_head_channels=(0, 16, 24),
        norm_num_groups=4, with_conditioning=True, cross_attention_dim=16,
        use_combined_linear=combined,
    )  # fmt: skip
    return awake(network, gain=3.0)


def run_unet(network: nn.Module, latent: torch.Tensor) -> torch.Tensor:
    found: torch.Tensor = network(latent, torch.tensor([300]), encoder_hidden_states=CONTEXT)[0]
    return found
