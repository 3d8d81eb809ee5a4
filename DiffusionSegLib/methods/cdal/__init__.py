"""cDAL: conditional diffusion with discriminator attention and latent embedding, in few steps."""

from DiffusionSegLib.methods.cdal.description import METHOD

__all__ = ["METHOD"]
