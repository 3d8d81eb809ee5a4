"""How packed training data are written: one run of bytes, the texts, and an index."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = ["write_packed"]


def write_packed(
    path: Path, pieces: Sequence[bytes], text: Tensor, index: Mapping[str, Any]
) -> None:
    """Beside the old file, which is then replaced. text: kept as float16; index: as JSON."""
    from safetensors.torch import save_file

    joined = torch.from_numpy(np.frombuffer(b"".join(pieces), np.uint8).copy())
    tensors = {"pictures": joined, "text": text.to(torch.float16).contiguous()}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    save_file(tensors, str(partial), metadata={"index": json.dumps(index)})
    os.replace(partial, path)
