"""Turns words into what a pipeline's network reads, with its own tokenizer and text encoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from DiffusionSegLib.backbones.latent_diffusion.folder import PipelineFolder, read_json
from DiffusionSegLib.backbones.latent_diffusion.interface import TextEmbedding
from DiffusionSegLib.backbones.latent_diffusion.libraries import optional_module, quiet_loading
from DiffusionSegLib.errors import ModelError, PromptError

__all__ = ["TextEncoder", "load_text_encoder", "open_tokenizer"]

_BERTS = ("cxr-bert",)
_VOCABULARIES = ("tokenizer.json", "vocab.json", "vocab.txt", "spiece.model")


class TextEncoder:
    """A tokenizer and a transformer that go together.

    length: that texts are padded to. masked: whether words do not look at the padding, for
    transformers that were trained so (Stable Diffusion's was not).
    """

    def __init__(
        self, tokenizer: Any, network: nn.Module, length: int, masked: bool = False
    ) -> None:
        self.tokenizer = tokenizer
        self.network = network
        self.length = length
        self.masked = masked

    def embed(self, text: str) -> TextEmbedding:
        """Padded to the encoder's length; raises PromptError when the text is longer."""
        found = self.tokenizer(text, return_offsets_mapping=True)
        count = len(found["input_ids"])
        if count > self.length:
            raise PromptError(
                f"The text has {count} tokens and the model reads {self.length} (start and end "
                f"included); nothing was cut. Shorten it: {_shortened(text)!r}"
            )
        padded = self.tokenizer(
            text, padding="max_length", max_length=self.length, return_tensors="pt"
        )
        device = next(self.network.parameters()).device
        numbers = padded["input_ids"].to(device)
        mask = {"attention_mask": padded["attention_mask"].to(device)} if self.masked else {}
        with torch.no_grad():
            states: Tensor = self.network(input_ids=numbers, **mask).last_hidden_state
        tokens = self.tokenizer.convert_ids_to_tokens(numbers[0].tolist())
        spans = [(a, b) if b > a else None for a, b in found["offset_mapping"]]
        spans += [None] * (len(tokens) - count)
        return TextEmbedding(text, states, tuple(tokens), tuple(spans))


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def load_text_encoder(
    folder: PipelineFolder, width: int, dtype: torch.dtype, device: str
) -> TextEncoder:
    """The folder's own; width: of the tokens that the denoising network reads.

    Raises ModelError when the tokenizer or the encoder is missing, damaged, or of another model.
    """
    places = {name: folder.path / name for name in ("tokenizer", "text_encoder")}
    _check_there(folder, places)
    library = optional_module("transformers")
    words, model = _classes(library, places["text_encoder"])
    tokenizer = open_tokenizer(words, places["tokenizer"])
    try:
        with quiet_loading():
            network, told = model.from_pretrained(
                str(places["text_encoder"]), use_safetensors=True, local_files_only=True,
                output_loading_info=True, variant=_variant(places["text_encoder"]),
            )  # fmt: skip
    except (OSError, ValueError, KeyError, ImportError, SafetensorError) as error:
        raise ModelError(f"The text encoder of {folder.path} cannot be opened: {error}") from error
    missing = sorted(told["missing_keys"])
    if missing:
        raise ModelError(
            f"The weights of text_encoder in {folder.path} lack {missing[0]} and "
            f"{len(missing) - 1} others; download the model again."
        )
    found = int(network.config.hidden_size)
    if found != width:
        raise ModelError(
            f"The text encoder of {folder.path} gives tokens of width {found}, but its unet reads "
            f"{width}: the parts are of different models."
        )
    frozen = network.to(device, dtype).eval().requires_grad_(False)
    return TextEncoder(tokenizer, frozen, _length(tokenizer, network))


def open_tokenizer(words: Any, place: Path) -> Any:
    """words: a tokenizer's class; place: its folder. Raises ModelError when it is damaged."""
    try:
        return words.from_pretrained(str(place), use_fast=True, local_files_only=True)
    except MemoryError:
        raise
    except Exception as error:  # for a damaged vocabulary, tokenizers raises just that class
        raise ModelError(
            f"The tokenizer in {place} is damaged and cannot be opened: {error}"
        ) from error


def _classes(library: Any, folder: Path) -> tuple[Any, Any]:
    """Of tokenizer and encoder. CXR-BERT, which brings code of its own that is not run, is a BERT
    as far as its tokens' states go."""
    if read_json(folder / "config.json").get("model_type") in _BERTS:
        return library.BertTokenizerFast, library.BertModel
    return library.AutoTokenizer, library.AutoModel


def _check_there(folder: PipelineFolder, places: dict[str, Path]) -> None:
    words = places["tokenizer"]
    if not any((words / name).is_file() for name in _VOCABULARIES):
        raise ModelError(
            f"The tokenizer of {folder.path} is missing (none of "
            f"{', '.join(f'tokenizer/{name}' for name in _VOCABULARIES)}); the network reads a "
            "text, if only an empty one. Download the model again."
        )
    network = places["text_encoder"]
    if not (network / "config.json").is_file():
        raise ModelError(
            f"The text encoder of {folder.path} is missing (text_encoder/config.json); the network "
            "reads a text, if only an empty one. Download the model again."
        )
    if not list(network.glob("*.safetensors")):
        raise ModelError(
            f"The text encoder of {folder.path} has no safetensors file; pickled weights, which "
            "can run code, are not opened. Get the model's safetensors files."
        )


def _variant(folder: Path) -> str | None:
    """Which copy of the weights there is; full precision is preferred."""
    return None if (folder / "model.safetensors").is_file() else "fp16"


def _length(tokenizer: Any, network: Any) -> int:
    """Tokens that both can take; some tokenizers have no limit of their own."""
    return min(int(tokenizer.model_max_length), int(network.config.max_position_embeddings))
