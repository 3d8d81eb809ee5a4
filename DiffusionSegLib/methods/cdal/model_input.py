"""The channels of an image in the order and range that a model takes, cut window by window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.backbones.manifest import ModelEntry, ModelInput
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.methods.cdal.intensity import IntensityMap, IntensityRule
from DiffusionSegLib.methods.cdal.windows import take_window
from DiffusionSegLib.nouns.image import Image

_COLORS = 3
_AIR_HU = -500  # lower values are lung and air in CT, and nothing in MR


@dataclass(frozen=True)
class ChannelSource:
    """Windows of the model's input in [-1, 1]; absent channels are zero.

    array: (present channels, K, J, I) as stored; places: their positions among ``channels``.
    """

    array: NDArray[Any]
    intensity: IntensityMap
    places: tuple[int, ...]
    channels: int

    @property
    def shape(self) -> tuple[int, ...]:
        """(K, J, I)."""
        return self.array.shape[1:]

    def take(self, start: Sequence[int], window: Sequence[int]) -> NDArray[np.float32]:
        """(channels, *window)."""
        out = np.zeros((self.channels, *window), np.float32)
        out[list(self.places)] = self.intensity.apply(take_window(self.array, start, window))
        return out

    def slice(self, index: int) -> ChannelSource:
        """One slice as a source of its own; shared, not copied."""
        part = self.array[:, index : index + 1]
        return ChannelSource(part, self.intensity, self.places, self.channels)


def channel_source(
    image: Image, places: Sequence[int], rules: Sequence[IntensityRule]
) -> ChannelSource:
    """``image``: on the model's grid, its channels at ``places`` of the model's input."""
    chosen = [rules[place] for place in places]
    return ChannelSource(
        image.array, IntensityMap.fit(image.array, chosen), tuple(places), len(rules)
    )


def match_channels(model: ModelEntry, image: Image) -> tuple[Image, tuple[int, ...]]:
    """The image with usable channels, and their places in the model's input; raises InputError.

    By name where names say it, the others in order when there are as many channels as the model has
    inputs. A colour model takes a gray picture as three equal channels.
    """
    if any(part.kind == "RGB" for part in model.inputs):
        return _colors(model, image), (0, 1, 2)
    if image.is_rgb:
        raise InputError(
            f"The model {model.id} takes {_wanted(model.inputs)}, but this is a colour picture."
        )
    names = [part.name.lower() for part in model.inputs]
    given = [name.lower() for name in image.channel_names]
    if set(given) <= set(names) and len(set(given)) == len(given):
        places = tuple(names.index(name) for name in given)
    elif len(given) == len(names) and len({*given}) == len(given):
        others = iter(place for place, name in enumerate(names) if name not in given)
        places = tuple(names.index(n) if n in names else next(others) for n in given)
    else:
        raise InputError(
            f"The model {model.id} takes {_wanted(model.inputs)}; which of them is this image of "
            f"{len(given)} channel{'s' * (len(given) > 1)}? Name the channels (--channels "
            f"{','.join(names[: len(given)])})."
        )
    missing = [p.name for i, p in enumerate(model.inputs) if p.required and i not in places]
    if missing:
        raise InputError(f"The model {model.id} also needs {', '.join(missing)}.")
    _check_exchanged(model, image, places)
    return image, places


def _check_exchanged(model: ModelEntry, image: Image, places: Sequence[int]) -> None:
    """Refuse a CT without a value below zero beside an MR with the air of a CT: whoever gives two
    images in the other order gets an outline of something else."""
    kinds = [model.inputs[place].kind for place in places]
    for ct, mr in ((c, m) for c in range(len(kinds)) for m in range(len(kinds))):
        if (kinds[ct], kinds[mr]) != ("CT", "MR") or image.array[ct].min() < 0:
            continue
        lowest = float(image.array[mr].min())
        if lowest <= _AIR_HU:
            first, second = image.channel_names[ct], image.channel_names[mr]
            raise InputError(
                f"The channels seem to be exchanged: {first!r} is taken for the CT but has no "
                f"value below 0, and {second!r} is taken for the MR but goes down to {lowest:g} as "
                "a CT does; give the images in the other order, or name them (--channels)."
            )


def _colors(model: ModelEntry, image: Image) -> Image:
    if len(image.array) == _COLORS:
        return image
    if len(image.array) == 1:
        return Image(
            np.repeat(image.array, _COLORS, axis=0), image.geometry, dimension=image.dimension
        )
    raise InputError(
        f"The model {model.id} takes a colour or gray picture, not {len(image.array)} channels."
    )


def _wanted(inputs: Sequence[ModelInput]) -> str:
    words = [part.name + ("" if part.required else " (optional)") for part in inputs]
    return " and ".join(words)
