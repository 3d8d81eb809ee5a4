"""A MONAI bundle in miniature, with random weights, built by MONAI itself."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from Testing.Library.reference.awake import awake

AUTOENCODER: dict[str, Any] = {
    "_target_": "monai.networks.nets.AutoencoderKL",
    "spatial_dims": 2, "in_channels": 1, "out_channels": 1, "latent_channels": 3,
    "channels": [8, 8, 8], "num_res_blocks": 1, "norm_num_groups": 4,
    "attention_levels": [False, False, False],
    "with_encoder_nonlocal_attn": False, "with_decoder_nonlocal_attn": False,
}  # fmt: skip
NETWORK: dict[str, Any] = {
    "_target_": "monai.networks.nets.DiffusionModelUNet",
    "spatial_dims": 2, "in_channels": 3, "out_channels": 3, "channels": [8, 16, 24],
    "num_res_blocks": 1, "norm_num_groups": 4, "attention_levels": [False, True, True],
    "num_head_channels": [0, 8, 24], "with_conditioning": True, "cross_attention_dim": 16,
}  # fmt: skip
SCHEDULER: dict[str, Any] = {
    "_target_": "monai.networks.schedulers.DDIMScheduler",
    "beta_start": 0.0015, "beta_end": 0.0205, "num_train_timesteps": 1000,
    "schedule": "scaled_linear_beta", "prediction_type": "v_prediction",
}  # fmt: skip


def build(told: dict[str, Any], seed: int = 0) -> Any:
    """MONAI's network of such settings, as they are after renaming; attention is not even."""
    from monai.networks import nets

    kind = getattr(nets, told["_target_"].rpartition(".")[2])
    arguments = {name: value for name, value in told.items() if name != "_target_"}
    return awake(kind(**arguments), seed, gain=3.0 if "U" in kind.__name__ else 1.0)


def save_bundle(
    folder: Path,
    pipeline: Path,
    autoencoder: dict[str, Any] = AUTOENCODER,
    network: dict[str, Any] = NETWORK,
    ending: str = ".pt",
) -> Path:
    """models/, configs/ and, out of a pipeline's folder, tokenizer/ and text_encoder/."""
    for part in ("tokenizer", "text_encoder"):
        shutil.copytree(pipeline / part, folder / part)
    (folder / "models").mkdir()
    save_weights(folder, "autoencoder", build(autoencoder).state_dict(), ending)
    save_weights(folder, "diffusion_model", build(network, 1).state_dict(), ending)
    change_config(folder, autoencoder_def=autoencoder, diffusion_def=network, scheduler=SCHEDULER)
    return folder


def save_weights(
    folder: Path, stem: str, weights: dict[str, torch.Tensor], ending: str = ".pt"
) -> None:
    file = folder / "models" / f"{stem}{ending}"
    if ending == ".safetensors":
        save_file(weights, file)
    else:
        torch.save(weights, file)


def change_config(folder: Path, **changes: Any) -> None:
    """Of configs/inference.json; None takes an entry out."""
    file = folder / "configs" / "inference.json"
    file.parent.mkdir(exist_ok=True)
    before = json.loads(file.read_text()) if file.is_file() else {}
    told = {name: value for name, value in {**before, **changes}.items() if value is not None}
    file.write_text(json.dumps(told))
