"""The last images, so that a new worker can be given them again."""

from __future__ import annotations

from collections import OrderedDict

from DiffusionSegLib.nouns.image import Image

__all__ = ["RememberedImages"]

_KEPT = 2


class RememberedImages:
    """By key, the last used at the end; sent: what the present worker has."""

    def __init__(self) -> None:
        self._images: OrderedDict[str, Image] = OrderedDict()
        self.sent: dict[str, Image] = {}

    def remember(self, key: str, image: Image) -> list[str]:
        """Returns the keys that had to go for it."""
        self._images[key] = image
        self._images.move_to_end(key)
        gone = list(self._images)[:-_KEPT]
        for old in gone:
            del self._images[old]
        return gone

    def unsend(self, key: str, image: Image | None) -> None:
        """That image did not reach the worker."""
        if self.sent.get(key) is image:
            self.sent.pop(key, None)

    def find(self, key: str) -> Image | None:
        """Without counting as use."""
        return self._images.get(key)

    def use(self, key: str) -> Image | None:
        """The image, which then is the last to go."""
        image = self._images.get(key)
        if image is not None:
            self._images.move_to_end(key)
        return image
