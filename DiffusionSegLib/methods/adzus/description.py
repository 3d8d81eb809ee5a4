"""What ADZUS is and takes, without importing torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from DiffusionSegLib.methods.adzus.settings import PARAMETERS as _PUBLISHED
from DiffusionSegLib.methods.contract import MethodDescription, ParameterSpec

if TYPE_CHECKING:
    from DiffusionSegLib.backbones.manifest import ModelEntry
    from DiffusionSegLib.methods.adzus.predictor import AdzusPredictor
    from DiffusionSegLib.methods.forecast import Economies, Forecast, RunWish

_OWN = (
    ParameterSpec(
        "granularity", "float", 0.5, "From part to whole",
        "0 outlines parts, 1 outlines wholes; moving it costs no pass of the network.",
        "our choice", 0.0, 1.0, live=True,
    ),
    ParameterSpec(
        "timestep", "int", 0, "Timestep of the pass",
        "How noisy the network takes the image to be: low for fine parts, high for whole objects. "
        "No noise is added. 0: the model's own.",
        "DiffSeg (arXiv:2308.12469): 300; M2N2 (arXiv:2411.10411): 100", 0, 999,
    ),
    ParameterSpec(
        "tau", "float", 0.0, "Merging threshold",
        "Attention maps nearer to each other than this (symmetric Kullback-Leibler divergence, in "
        "nats) are one region; higher gives fewer and larger regions. 0: the model's own, else 1.",
        "DiffSeg (arXiv:2308.12469), section 4.1: 1.1 and 0.9; a small model needs less",
        0.0, 5.0,
    ),
    ParameterSpec(
        "window", "choice", "auto", "Intensities",
        "How intensities become a picture. auto: 8-bit images as they are, CT in the soft-tissue "
        "window, anything else between its percentiles 0.5 and 99.5.",
        "our choice", choices=("auto", "percentiles", "soft tissue", "lung", "bone", "brain"),
    ),
    ParameterSpec(
        "evidence", "choice", "both", "What clicks are answered by",
        "attention: Markov maps of self-attention alone; image: colors and edges alone; both: "
        "regions of the image, judged by attention.",
        "attention: M2N2; the others: our choice", choices=("both", "attention", "image"),
    ),
)  # fmt: skip

DESCRIPTION = MethodDescription(
    name="adzus",
    title="ADZUS: zero-shot, from a diffusion model's self-attention",
    summary="Needs no training: click, draw a box or a stroke, or write what to outline.",
    citation=(
        "Hamrani, Godavarty: Self-attention diffusion models for zero-shot biomedical image "
        "segmentation. Bioengineering 12(10), 1036 (2025), arXiv:2503.18170"
    ),
    prompts=frozenset({"text", "points", "boxes", "scribbles", "region"}),
    parameters=(*_OWN, *(one for one in _PUBLISHED if one.name not in ("timestep", "tau"))),
    refines=True,
    trains=False,
)


class AdzusMethod:
    """Opens ADZUS with a diffusion model."""

    description = DESCRIPTION

    def open(self, model: ModelEntry, device: str) -> AdzusPredictor:
        """Load the model's networks onto the device; raises ModelError."""
        from DiffusionSegLib.methods.adzus.predictor import AdzusPredictor

        return AdzusPredictor.load(model, device)

    def forecast(self, model: ModelEntry, wish: RunWish) -> Forecast:
        """See Forecasting."""
        from DiffusionSegLib.methods.adzus.forecast import adzus_forecast

        return adzus_forecast(model, wish)

    def economies(self, model: ModelEntry) -> Economies:
        """See Forecasting."""
        from DiffusionSegLib.methods.adzus.forecast import adzus_economies

        return adzus_economies(model)


METHOD = AdzusMethod()
