"""Which files of a text encoder's repository are used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

__all__ = ["WEIGHTS", "WORDS", "chooser"]

WORDS = (
    "tokenizer.json", "vocab.txt", "vocab.json", "merges.txt", "spiece.model",
    "sentencepiece.bpe.model", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json",
)  # fmt: skip
_PLAIN = ("model.safetensors", "pytorch_model.bin")

# Of each kind, names of weights of which the first that is there is used.
WEIGHTS: Mapping[str, tuple[str, ...]] = {
    "transformers": _PLAIN,
    "clip": _PLAIN,
    "open_clip": ("open_clip_model.safetensors", "open_clip_pytorch_model.bin"),
}
_CONFIG = {"open_clip": "open_clip_config.json"}


def chooser(kind: str) -> Callable[[Sequence[str], bool], list[str]]:
    """Of a repository's files: settings, vocabulary, one copy of the weights."""
    config = _CONFIG.get(kind, "config.json")

    def choose(names: Sequence[str], prefer_half: bool) -> list[str]:
        own = [name for name in WEIGHTS[kind] if name in names][:1]
        return [name for name in names if name in (config, "config.json", *WORDS)] + own

    return choose
