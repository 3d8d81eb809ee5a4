"""What capturing all self-attention maps costs above the bare pass of the same network.

    python -m Testing.Benchmarks.attention_overhead
    python -m Testing.Benchmarks.attention_overhead sd21 --latent 96 --passes 5

The denoising networks of Stable Diffusion 1.5 and 2.1 are built from their published settings and
filled with random numbers (nothing is downloaded), one at a time. Bare and capturing passes take
turns in one process; the ratio is that of the medians. Peak memory is that of a fresh process that
makes one pass, with its weights: resident memory on a CPU, allocated memory on a GPU. "difference"
is the largest one to an independent capture in float64, in units of an even map (1 / places).
Targets: 10 % time, 20 % memory, a difference of 1e-4 (in float32; half precision is told as it is).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from DiffusionSegLib.backbones.latent_diffusion.libraries import optional_module
from DiffusionSegLib.diffusion.attention.capture import AttentionMap, capture_attention
from DiffusionSegLib.diffusion.attention.layers import find_attention_layers
from DiffusionSegLib.errors import DiffusionSegError
from Testing.Benchmarks.common import clock, execute, tell
from Testing.Benchmarks.tables import Row, Table
from Testing.Library.backbones.latent_diffusion.tiny import UNET
from Testing.Library.diffusion.attention.slow_capture import slow_maps

MOST_TIME, MOST_MEMORY, MOST_DIFFERENCE = 0.10, 0.20, 1e-4
_ROOT = Path(__file__).resolve().parents[2]
_LARGE = {"sample_size": 64, "block_out_channels": (320, 640, 1280, 1280), "layers_per_block": 2}
# What the pipelines' unet/config.json say where it differs from the class's defaults.
NETWORKS: dict[str, dict[str, Any]] = {
    "sd15": {**_LARGE, "cross_attention_dim": 768, "attention_head_dim": 8},
    "sd21": {
        **_LARGE,
        "cross_attention_dim": 1024,
        "attention_head_dim": (5, 10, 20, 20),
        "use_linear_projection": True,
    },
    "tiny": UNET,
}
_TOKENS = 77


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("networks", nargs="*", help="of sd15, sd21, tiny (default: the first two)")
    parser.add_argument("--latent", type=int, default=64, help="side of the latent (default 64)")
    parser.add_argument("--passes", type=int, default=3, help="of each kind (default 3)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    parser.add_argument("--threads", type=int, default=1, help="of torch on the CPU (default 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the table as JSON")
    parser.add_argument("--child", choices=("time", "bare", "capture"), help=argparse.SUPPRESS)
    return execute(parser, run, arguments)


def run(args: argparse.Namespace) -> int:
    """Exit code 1 when a target is missed."""
    names = args.networks or ["sd15", "sd21"]
    if unknown := sorted(set(names) - set(NETWORKS)):
        raise DiffusionSegError(f"There is no network {unknown[0]!r}; known: sd15, sd21, tiny.")
    if args.child:
        print(json.dumps(measure(names[0], args)))
        return 0
    rows = [_row(name, args) for name in names]
    told: dict[str, Any] = {"split": "none (random weights)", "device": args.device}
    told |= {"threads": torch.get_num_threads(), "torch": str(torch.__version__)}
    told |= {"latent": f"{args.latent} x {args.latent}", "passes": args.passes}
    Table("Capturing attention above a bare pass", told, rows).publish(args.json)
    return 0 if all(_reached(row, args.device) for row in rows) else 1


def _row(name: str, args: argparse.Namespace) -> Row:
    found: dict[str, Any] = {}
    for part in ("time", "bare", "capture"):
        tell(f"{name}: {part}")
        command = [sys.executable, "-m", "Testing.Benchmarks.attention_overhead", name]
        command += ["--latent", str(args.latent), "--passes", str(args.passes), "--child", part]
        command += ["--device", args.device, "--threads", str(args.threads)]
        done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise DiffusionSegError(f"The measured process failed:\n{done.stderr}")
        found[part] = json.loads(done.stdout.splitlines()[-1])
    times, bare, capture = found["time"], found["bare"], found["capture"]
    return {
        "network": name,
        "bare s": round(times["bare_s"], 3),
        "capture s": round(times["capture_s"], 3),
        "time": f"{times['capture_s'] / times['bare_s'] - 1:+.1%}",
        "bare MB": round(bare["peak"] / 1e6),
        "capture MB": round(capture["peak"] / 1e6),
        "memory": f"{capture['peak'] / bare['peak'] - 1:+.1%}",
        "weights MB": round(bare["weights"] / 1e6),
        "difference": f"{times['difference']:.1e}",
    }


def _reached(row: Row, device: str) -> bool:
    time_ratio, memory = (float(row[name].rstrip("%")) / 100 for name in ("time", "memory"))
    exact = device != "cpu" or float(row["difference"]) <= MOST_DIFFERENCE
    return time_ratio <= MOST_TIME and memory <= MOST_MEMORY and exact


def measure(name: str, args: argparse.Namespace) -> dict[str, float]:
    """What one child process finds."""
    network = build(name, args.device)
    latent = _normal(1, 4, args.latent, args.latent, seed=1).to(args.device)
    context = _normal(1, _TOKENS, NETWORKS[name]["cross_attention_dim"], seed=2).to(args.device)
    kind = next(network.parameters()).dtype

    @torch.no_grad()
    def bare() -> Any:
        time = torch.tensor([300], device=args.device)
        return network(latent.to(kind), time, encoder_hidden_states=context.to(kind))

    layers = [one for one in find_attention_layers(network) if one.kind == "self"]

    def capture() -> tuple[AttentionMap, ...]:
        return capture_attention(layers, bare, (args.latent, args.latent))

    if args.child == "time":
        return _times(bare, capture, args) | {"difference": _difference(network, bare, capture())}
    weights = sum(one.numel() * one.element_size() for one in network.parameters())
    return {"weights": weights, "peak": _peak(bare if args.child == "bare" else capture, args)}


def build(name: str, device: str) -> nn.Module:
    """Random weights; normalizations are left as they are at the start of training."""
    library = optional_module("diffusers.models.unets.unet_2d_condition")
    with torch.device("meta"):
        network: nn.Module = library.UNet2DConditionModel(**NETWORKS[name])
    network.to_empty(device="cpu").eval().requires_grad_(False)
    rng = torch.Generator().manual_seed(0)
    for module in network.modules():
        for part, value in module.named_parameters(recurse=False):
            if value.ndim > 1:
                value.normal_(0, value[0].numel() ** -0.5, generator=rng)
            else:
                is_scale = part == "weight" and isinstance(module, nn.GroupNorm | nn.LayerNorm)
                value.fill_(1.0 if is_scale else 0.0)
    return network.to(device, torch.float16 if device.startswith("cuda") else torch.float32)


def _times(
    bare: Callable[[], Any], capture: Callable[[], Any], args: argparse.Namespace
) -> dict[str, float]:
    """Medians, after one pass of each that does not count."""
    found: dict[str, list[float]] = {"bare_s": [], "capture_s": []}
    for turn in range(args.passes + 1):
        for key, action in (("bare_s", bare), ("capture_s", capture)):
            start = clock(args.device)
            action()
            if turn:
                found[key].append(clock(args.device) - start)
    return {key: statistics.median(values) for key, values in found.items()}


def _difference(network: nn.Module, bare: Callable[[], Any], maps: Sequence[AttentionMap]) -> float:
    """Largest one to the independent capture, one resolution after the other."""
    worst = 0.0
    for one in maps:
        heads = {name: int(network.get_submodule(name).heads) for name in one.layers}
        slow = slow_maps(network, list(one.layers), heads, bare)
        mean = torch.stack(list(slow.values())).mean(0).cpu()
        difference = float((one.weights.cpu() - mean).abs().max())
        worst = max(worst, difference * one.weights.shape[1])
    return worst


def _peak(action: Callable[[], Any], args: argparse.Namespace) -> int:
    """Bytes of the process (of the device's allocator on a GPU) during the action."""
    if args.device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats()
        action()
        return int(torch.cuda.max_memory_allocated())
    Path("/proc/self/clear_refs").write_text("5")
    action()
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise DiffusionSegError("Peak memory is read from /proc, which only Linux has.")


def _normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


if __name__ == "__main__":
    raise SystemExit(main())
