"""What DiffuGTS is and takes, without importing torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from DiffusionSegLib.methods.contract import MethodDescription, ParameterSpec

if TYPE_CHECKING:
    from DiffusionSegLib.backbones.manifest import ModelEntry
    from DiffusionSegLib.methods.diffugts.predictor import DiffuGtsPredictor
    from DiffusionSegLib.methods.forecast import Economies, Forecast, RunWish

DESCRIPTION = MethodDescription(
    name="diffugts",
    title="DiffuGTS: tumors by words, with a pseudo-healthy twin of the image",
    summary=(
        "Write what to look for, such as 'liver tumor', or mark it; the image is drawn again as if "
        "healthy, and what differs is outlined."
    ),
    citation=(
        "Jiang, Zhang, Yang, Tian, Lin, Wang: Advancing generalizable tumor segmentation with "
        "anomaly-aware open-vocabulary attention maps and frozen foundation diffusion models. "
        "CVPR 2025, arXiv:2505.02753"
    ),
    prompts=frozenset({"text", "points", "boxes", "scribbles", "region"}),
    parameters=(
        ParameterSpec(
            "modality", "choice", "auto", "Kind of scan",
            "auto: CT where the values are Hounsfield units, 8-bit pictures as they are, else MR.",
            "our choice", choices=("auto", "ct", "mr"),
        ),
        ParameterSpec(
            "start", "float", 0.0, "Noise level at the start",
            "How far the masked part is noised before it is drawn anew: low keeps its coarse look, "
            "1 keeps nothing. 0: the model's own.",
            "not stated in the paper", 0.0, 1.0,
        ),
        ParameterSpec(
            "steps", "int", 0, "Denoising steps",
            "From the noise level at the start to the pseudo-healthy image. 0: the model's own.",
            "not stated in the paper", 0, 1000,
        ),
        ParameterSpec(
            "jumps", "int", 0, "Repeats of a step",
            "How often each step is repeated so that the drawn part fits its surroundings. 0: the "
            "model's own.",
            "RePaint (arXiv:2201.09865)", 0, 20,
        ),
        ParameterSpec(
            "grow_mm", "float", 0.0, "Margin of the masked part in mm",
            "How much larger than the coarse mask the part is that is drawn anew. 0: the model's "
            "own.",
            "the paper enlarges the mask; by how much is not stated", 0.0, 50.0,
        ),
        ParameterSpec(
            "evidence", "choice", "all", "How far to go",
            "map: the attention map alone; coarse: the region that it and the picture speak for; "
            "pixel: with the difference to the pseudo-healthy image; all: with that of the latents "
            "too.",
            "our choice", choices=("map", "coarse", "pixel", "all"),
        ),
    ),
    refines=True,
    trains=True,
)  # fmt: skip


class DiffuGtsMethod:
    """Opens DiffuGTS with a frozen diffusion model and what was trained on its features."""

    description = DESCRIPTION

    def open(self, model: ModelEntry, device: str) -> DiffuGtsPredictor:
        """Load the networks onto the device; raises ModelError."""
        from DiffusionSegLib.methods.diffugts.predictor import DiffuGtsPredictor

        return DiffuGtsPredictor.load(model, device)

    def forecast(self, model: ModelEntry, wish: RunWish) -> Forecast:
        """See Forecasting."""
        from DiffusionSegLib.methods.diffugts.forecast import diffugts_forecast

        return diffugts_forecast(model, wish)

    def economies(self, model: ModelEntry) -> Economies:
        """See Forecasting."""
        from DiffusionSegLib.methods.diffugts.forecast import diffugts_economies

        return diffugts_economies(model)


METHOD = DiffuGtsMethod()
