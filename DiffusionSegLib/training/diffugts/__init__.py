"""Training of DiffuGTS, `diffusionseg train diffugts`: maps, rules and residuals over a frozen
diffusion model; one type of tumor may be left out to see how it is found unseen."""

from DiffusionSegLib.training.diffugts.command import add_arguments, run

__all__ = ["add_arguments", "run"]
