"""Training of cDAL: `diffusionseg train cdal`."""

from DiffusionSegLib.training.cdal.command import add_arguments, run

__all__ = ["add_arguments", "run"]
