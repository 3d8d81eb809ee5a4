"""What cDAL is and takes, without importing torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from DiffusionSegLib.methods.contract import MethodDescription, ParameterSpec

if TYPE_CHECKING:
    from DiffusionSegLib.backbones.manifest import ModelEntry
    from DiffusionSegLib.methods.cdal.predictor import CdalPredictor
    from DiffusionSegLib.methods.forecast import Economies, Forecast, RunWish

DESCRIPTION = MethodDescription(
    name="cdal",
    title="cDAL: conditional diffusion with attention and latent embedding",
    summary="Trained models, few denoising steps; several samples give probability and doubt.",
    citation=(
        "Hejrati, Banerjee, Glide-Hurst, Dong: Conditional diffusion model with spatial attention "
        "and latent embedding for medical image segmentation. MICCAI 2024, arXiv:2502.06997"
    ),
    prompts=frozenset({"points", "boxes", "scribbles", "region"}),
    parameters=(
        ParameterSpec(
            "tolerance", "float", 0.01, "Stop drawing early",
            "Stop drawing samples when one more moves less than this share of the outline; "
            "0 draws them all.",
            "our choice", 0.0, 1.0,
        ),
        ParameterSpec(
            "precision", "choice", "auto", "Arithmetic",
            "auto: bfloat16 where the device is faster with it; float32: full precision.",
            "our choice", choices=("auto", "float32", "bfloat16"),
        ),
        ParameterSpec(
            "refine_level", "int", 1, "Noise level of Refine",
            "How far an edited mask is noised before it is denoised again: 1 keeps most of it, the "
            "number of steps keeps nothing but painted and erased voxels.",
            "our choice", 1, 1000,
        ),
        ParameterSpec(
            "brush_mm", "float", 0.0, "Radius of a click",
            "Voxels within this distance of a click follow it; 0 means the clicked voxel and its "
            "neighbours on the model's grid.",
            "our choice", 0.0, 100.0,
        ),
    ),
    refines=True,
    trains=True,
)  # fmt: skip


class CdalMethod:
    """Opens cDAL models."""

    description = DESCRIPTION

    def open(self, model: ModelEntry, device: str) -> CdalPredictor:
        """Load the model's network onto the device; raises ModelError."""
        from DiffusionSegLib.methods.cdal.predictor import CdalPredictor

        return CdalPredictor.load(model, device)

    def forecast(self, model: ModelEntry, wish: RunWish) -> Forecast:
        """See Forecasting."""
        from DiffusionSegLib.methods.cdal.forecast import cdal_forecast

        return cdal_forecast(model, wish)

    def economies(self, model: ModelEntry) -> Economies:
        """See Forecasting."""
        from DiffusionSegLib.methods.cdal.forecast import cdal_economies

        return cdal_economies(model)


METHOD = CdalMethod()
