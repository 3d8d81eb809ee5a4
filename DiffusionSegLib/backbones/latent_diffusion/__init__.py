"""Latent diffusion models (Stable Diffusion and its relatives) behind one small interface."""
