"""The bundled latent diffusion model: small, text-conditioned, trained from scratch."""
