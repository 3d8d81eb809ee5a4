"""What happens before a model is opened: nothing, a download, or a sentence."""

from __future__ import annotations

from DiffusionSegLib.backbones.fetching.standing import check_ready, standing
from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.compute.device import prefers_float16
from DiffusionSegLib.progress import Progress

__all__ = ["make_ready"]


def make_ready(entry: ModelEntry, device: str, progress: Progress) -> None:
    """Checks versions, and downloads what is missing of a model whose licence was accepted.

    device: one that computes in half precision gets such files where there are any. Raises
    ModelError (an older package, a licence that was not accepted, no source that works),
    OutputError, Cancelled.
    """
    check_ready(entry)
    if standing(entry).state == "needs download":
        from DiffusionSegLib.backbones.fetching.download import download_model

        download_model(entry, progress, half=prefers_float16(device))
