"""Trains a plain MONAI U-Net on the packed data of a cDAL task, for as long as cDAL was trained.

    python Testing/Benchmarks/unet_baseline.py TASK --packed DATA.safetensors --seconds 1200 -o RUN

Same cases, same windows, same augmentation, same precision and processor time; Dice + cross-entropy
loss, AdamW, cosine schedule, selection on the validation part. Prints Dice of the test part.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from monai.losses import DiceCELoss
from monai.networks.nets import UNet
from numpy.typing import NDArray

from DiffusionSegLib.methods.cdal.windows import (
    blend_weight,
    put_window,
    take_window,
    window_positions,
)
from DiffusionSegLib.training.cdal.augment import WindowSampler
from DiffusionSegLib.training.cdal.pack import PackedCase, read_pack
from DiffusionSegLib.training.cdal.settings import Task, load_task
from DiffusionSegLib.training.cdal.validation import dice_per_label
from DiffusionSegLib.training.ema import MovingAverage

CHANNELS = {
    "hippocampus": (26, 52, 104, 160),
    "nuclei": (36, 72, 144, 288),
    "skin-lesion": (32, 64, 96, 160, 140),
    "sarcoma": (24, 48, 80, 128),
}


def build(task: Task) -> UNet:
    """A residual U-Net with about as many parameters as the task's generator."""
    channels = CHANNELS.get(task.name, (32, 64, 128, 256))
    return UNet(
        task.generator.dims,
        len(task.channels),
        task.labels + 1,
        channels,
        (2,) * (len(channels) - 1),
        num_res_units=2,
    )


def predict(task: Task, network: torch.nn.Module, case: PackedCase) -> NDArray[np.uint8]:
    """Class indices (K, J, I), with the windows, borders and blending that cDAL uses."""
    image = case.image.float().numpy()
    grid, shape = task.grid, image.shape[1:]
    window = grid.window_for(shape, 16)
    starts = window_positions(shape, window, grid.overlap)
    weight = blend_weight(window, grid.overlap if len(starts) > 1 else 0.0)[None]
    total = np.zeros((task.labels + 1, *shape), np.float32)
    for start in starts:
        piece = torch.from_numpy(take_window(image, start, window))[None]
        piece = piece if grid.is_volumetric else piece[:, :, 0]
        logits = network(piece)[0].float().softmax(0).numpy().reshape(-1, *window)
        put_window(total, logits * weight, start)
    return total.argmax(0).astype(np.uint8)


@torch.inference_mode()
def score(task: Task, network: torch.nn.Module, cases: tuple[PackedCase, ...]) -> list[float]:
    """Mean Dice per label."""
    rows = [dice_per_label(predict(task, network, c), c.label.numpy(), task.labels) for c in cases]
    return [float(v) for v in np.mean(rows, axis=0)]


def train(task: Task, packed: Path, seconds: float, rate: float) -> tuple[torch.nn.Module, int]:
    """Train for ``seconds`` of processor time (wall time on a GPU is not supported here)."""
    torch.manual_seed(0)
    rng = torch.Generator().manual_seed(0)
    pack = read_pack(packed, ("train", "validation", "negative-train"))
    network, sampler = build(task), WindowSampler(task)
    average = MovingAverage(network, 0.995)
    optimiser = torch.optim.AdamW(network.parameters(), rate, weight_decay=1e-4)
    loss_of = DiceCELoss(to_onehot_y=True, softmax=True)
    cases, negatives = pack.part("train"), pack.part("negative-train")
    best, kept, steps, begun, checked = -1.0, None, 0, time.process_time(), 0.0
    while (spent := time.process_time() - begun) < seconds:
        for group in optimiser.param_groups:
            group["lr"] = rate * (0.5 + 0.5 * math.cos(math.pi * spent / seconds)) + 1e-6
        chosen = []
        for _ in range(task.training.batch):
            wanted = float(torch.rand((), generator=rng)) < task.training.negative_probability
            pool = negatives if wanted and negatives else cases
            chosen.append(sampler.draw(pool[int(torch.randint(len(pool), (), generator=rng))], rng))
        image = torch.stack([image for image, _ in chosen])
        classes = torch.stack([c for _, c in chosen])[:, None]
        with torch.autocast("cpu", torch.bfloat16, enabled=task.training.bf16):
            logits = network(image)
        loss = loss_of(logits.float(), classes)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        average.update(network)
        steps += 1
        if spent - checked > seconds / 10:
            checked = spent
            value = float(
                np.mean(score(task, average_of(average, network), pack.part("validation")))
            )
            print(f"step {steps}: {spent:.0f} s, validation Dice {value:.4f}", flush=True)
            if value > best:
                best, kept = value, {k: v.clone() for k, v in average.network.state_dict().items()}
    value = float(np.mean(score(task, average_of(average, network), pack.part("validation"))))
    if value <= best and kept is not None:
        average.network.load_state_dict(kept)
    return average.network, steps


def average_of(average: MovingAverage, network: torch.nn.Module) -> torch.nn.Module:
    """The averaged network with the current normalisation buffers."""
    for kept, current in zip(average.network.buffers(), network.buffers(), strict=True):
        kept.copy_(current)
    return average.network


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task")
    parser.add_argument("--packed", type=Path, required=True)
    parser.add_argument(
        "--seconds", type=float, required=True, help="processor seconds of training"
    )
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    task = load_task(args.task)
    network, steps = train(task, args.packed, args.seconds, args.rate)
    dice = score(task, network, read_pack(args.packed, ("test",)).part("test"))
    size = sum(p.numel() for p in network.parameters())
    result = {
        "task": task.name,
        "parameters": size,
        "steps": steps,
        "seconds": args.seconds,
        "test_dice": dice,
    }
    args.output.mkdir(parents=True, exist_ok=True)
    (args.output / "unet.json").write_text(json.dumps(result, indent=1))
    torch.save(network.state_dict(), args.output / "unet.pt")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
