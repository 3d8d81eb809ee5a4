"""Attention among places of the image, and of places to the words of the text."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["Attention", "AttentionBlock"]


class Attention(nn.Module):
    """Multi-head attention (Vaswani et al. 2017) through torch's own function.

    is_cross_attention: whether keys come from the text. Its parts are named as in diffusers, so
    that whatever reads attention maps finds them by structure.
    """

    def __init__(self, width: int, heads: int, text_width: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.is_cross_attention = text_width is not None
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(text_width or width, width, bias=False)
        self.to_v = nn.Linear(text_width or width, width, bias=False)
        self.to_out = nn.Linear(width, width)

    def forward(self, places: Tensor, text: Tensor | None = None) -> Tensor:
        """places: (B, places, width); text: (B, tokens, text_width); returns as places."""
        source = places if text is None else text
        query, key = self._split(self.to_q(places)), self._split(self.to_k(source))
        seen = F.scaled_dot_product_attention(query, key, self._split(self.to_v(source)))
        merged: Tensor = self.to_out(seen.transpose(1, 2).flatten(2))
        return merged

    def _split(self, x: Tensor) -> Tensor:
        """(B, places, heads · features) to (B, heads, places, features)."""
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)


class AttentionBlock(nn.Module):
    """Self-attention, cross-attention and a feed-forward layer, each added to what came in.

    (B, width, rows, columns) in and out. There is no code of positions: the convolutions around
    know where the border is, and images of any size can be read (our choice).
    """

    def __init__(self, width: int, head_width: int, text_width: int) -> None:
        super().__init__()
        heads = width // head_width
        self.norm1 = nn.LayerNorm(width)
        self.own = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.words = Attention(width, heads, text_width)
        self.norm3 = nn.LayerNorm(width)
        inner = 2 * width
        self.feed = nn.Sequential(nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, width))

    def forward(self, x: Tensor, text: Tensor) -> Tensor:
        """text: (B, tokens, text_width)."""
        size = x.shape[2:]
        places = x.flatten(2).transpose(1, 2)
        places = places + self.own(self.norm1(places))
        places = places + self.words(self.norm2(places), text)
        places = places + self.feed(self.norm3(places))
        return places.transpose(1, 2).unflatten(2, size)
