"""Training of the bundled latent diffusion model: `diffusionseg train backbone`."""

from DiffusionSegLib.training.backbone.command import add_arguments, run

__all__ = ["add_arguments", "run"]
