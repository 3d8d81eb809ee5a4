"""DiffuGTS: outlines what words name as abnormal, with a pseudo-healthy image beside it.

Jiang, Zhang, Yang, Tian, Lin, Wang: Advancing generalizable tumor segmentation with anomaly-aware
open-vocabulary attention maps and frozen foundation diffusion models. CVPR 2025, arXiv:2505.02753.
"""

from DiffusionSegLib.methods.diffugts.description import METHOD

__all__ = ["METHOD"]
