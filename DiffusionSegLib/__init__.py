"""DiffusionSeg: outlines in medical images from generative diffusion models (not diffusion MRI).

Not for clinical use. The public names are loaded when first used, so that importing this
package costs nothing (in particular, it does not import torch).
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from DiffusionSegLib.nouns.image import Image
    from DiffusionSegLib.nouns.mask import Mask
    from DiffusionSegLib.nouns.prompt import Prompt
    from DiffusionSegLib.nouns.proposal import Proposal
    from DiffusionSegLib.session import Session

__version__ = "0.1.0"

__all__ = ["Image", "Mask", "Prompt", "Proposal", "Session", "__version__"]

_HOMES = {
    "Image": "DiffusionSegLib.nouns.image",
    "Mask": "DiffusionSegLib.nouns.mask",
    "Prompt": "DiffusionSegLib.nouns.prompt",
    "Proposal": "DiffusionSegLib.nouns.proposal",
    "Session": "DiffusionSegLib.session",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'DiffusionSegLib' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
