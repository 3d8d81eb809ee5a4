"""MAISI (Guo et al. 2024; Zhao et al. 2025): frozen latent diffusion models of 3D CT and MR."""
