"""ADZUS: outlines from a diffusion model's self-attention, without any training.

Hamrani, Godavarty: Self-attention diffusion models for zero-shot biomedical image segmentation.
Bioengineering 12(10), 1036 (2025), arXiv:2503.18170. Its steps, from attention maps to numbered
regions, are those of DiffSeg (Tian et al., CVPR 2024, arXiv:2308.12469): `regions.find_regions`.
How a region becomes the structure that a user asked for is not part of what was published; here it
is one of the rules that `slice_answer` lists, and every result says which.
"""

from DiffusionSegLib.methods.adzus.description import METHOD

__all__ = ["METHOD"]
