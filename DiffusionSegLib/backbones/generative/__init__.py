"""Frozen latent diffusion models that inpaint: the bundled compact one in 2D, MAISI in 3D."""
