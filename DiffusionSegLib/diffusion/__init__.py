"""Mathematics of generative diffusion, shared by the methods."""
