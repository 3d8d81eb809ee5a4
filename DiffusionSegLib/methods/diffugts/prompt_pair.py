"""The two texts that an image is compared with: how it would be described healthy, and ill.

The form "A normal {modality} of {organ}" is that of an unofficial implementation; the paper's own
wording is not known (methods of the text side are our choice).
"""

from __future__ import annotations

from dataclasses import dataclass

from DiffusionSegLib.methods.diffugts.asked_target import AskedTarget

__all__ = ["PromptPair", "healthy_description", "prompt_pair"]

_ANY_ORGAN = "the body"
_ANY_FINDING = "tumor"
_ANY_MODALITY = "scan"


@dataclass(frozen=True)
class PromptPair:
    """The order is that of the channels of attention maps."""

    normal: str
    abnormal: str

    @property
    def texts(self) -> tuple[str, str]:
        """normal, abnormal."""
        return self.normal, self.abnormal


def prompt_pair(target: AskedTarget, modality: str = "") -> PromptPair:
    """modality: "ct" or "mr" as the image says; what the text says goes before it."""
    shown = target.modality or modality.upper() or _ANY_MODALITY
    organ = target.organ or _ANY_ORGAN
    finding = target.finding or _ANY_FINDING
    return PromptPair(
        f"A normal {shown} of {organ}", f"An abnormal {shown} of {organ} with {finding}"
    )


def healthy_description(target: AskedTarget, modality: str = "") -> str:
    """What the diffusion model is told to draw in place of the lesion."""
    shown = target.modality or modality.upper() or _ANY_MODALITY
    return f"{shown} of healthy {target.organ or 'tissue'}"
