"""ADZUS: regions of an image from a diffusion model's self-attention, without any training.

Hamrani, Godavarty: Self-attention diffusion models for zero-shot biomedical image segmentation.
Bioengineering 12(10), 1036 (2025), arXiv:2503.18170. Its steps are those of DiffSeg (Tian et al.,
CVPR 2024, arXiv:2308.12469), which are here: from attention maps to numbered regions. How a region
becomes the structure that a user asked for is not part of what was published, so there is no METHOD
and nothing to choose in a front end yet; `DiffusionSegLib.methods.adzus.regions.find_regions` is
the way in.
"""
