"""The options that choose a method, and the session they open."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from DiffusionSegLib.cli import arguments
from DiffusionSegLib.errors import unknown_name

if TYPE_CHECKING:
    from DiffusionSegLib.backbones.manifest import ModelEntry
    from DiffusionSegLib.methods.contract import MethodDescription
    from DiffusionSegLib.session import Session


@dataclass(frozen=True)
class Choice:
    """The method and model that the command line names, known to exist."""

    description: MethodDescription
    model: ModelEntry
    parameters: dict[str, Any]


def add_method_options(parser: argparse.ArgumentParser) -> None:
    """--method and what belongs to it."""
    group = parser.add_argument_group("method")
    group.add_argument("--method", required=True, metavar="M", help="see 'diffusionseg methods'")
    group.add_argument(
        "--model", metavar="NAME", help="see 'diffusionseg models' (default: the method's own)"
    )
    group.add_argument("--text", default="", metavar="WORDS", help="what to outline, in words")
    group.add_argument(
        "--samples", type=arguments.whole_number(1, 1000), metavar="N",
        help="outlines to draw and average (default: the model's)",
    )  # fmt: skip
    group.add_argument(
        "--threshold", type=arguments.threshold, default=0.5, metavar="T",
        help="probability from which on a voxel is inside (default: 0.5)",
    )  # fmt: skip
    group.add_argument(
        "--seed", type=arguments.whole_number(0, 2**31 - 1), default=0, metavar="S",
        help="same seed, same device: same result (default: 0)",
    )  # fmt: skip
    group.add_argument(
        "--device", type=arguments.device, default="auto", metavar="D",
        help="auto, cpu, cuda or cuda:0 (NVIDIA, AMD), xpu (Intel), mps (Apple); default: auto",
    )  # fmt: skip
    group.add_argument(
        "--set", type=arguments.setting, action="append", default=[], metavar="NAME=VALUE",
        help="a parameter of the method, see 'diffusionseg methods' (may be repeated)",
    )  # fmt: skip
    group.add_argument(
        "--channels", type=arguments.names, default=(), metavar="A,B",
        help="which of the model's inputs the images are (ct,mr)",
    )  # fmt: skip


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """--quiet and --debug, which every command has."""
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
    parser.add_argument("--debug", action="store_true", help="show where an error comes from")


def choose(args: argparse.Namespace) -> Choice:
    """Looks the names up without loading a network; raises UnknownNameError, ModelError."""
    from DiffusionSegLib.backbones.store import ModelStore
    from DiffusionSegLib.methods.registry import get_method

    description = get_method(args.method).description
    return Choice(
        description,
        ModelStore().find(description.name, args.model),
        parameters_from(args.set, description),
    )


def parameters_from(
    settings: Sequence[tuple[str, str]], description: MethodDescription
) -> dict[str, Any]:
    """The values of --set, read and checked by the method's own parameters."""
    specs = {spec.name: spec for spec in description.parameters}
    values: dict[str, Any] = {}
    for name, text in settings:
        if name not in specs:
            raise unknown_name(f"parameter of {description.name}", name, specs)
        values[name] = specs[name].parse(text)
    return values


def open_session(choice: Choice, args: argparse.Namespace) -> Session:
    """With what runs took on this computer before."""
    from DiffusionSegLib.planning.rates import Rates, rates_file
    from DiffusionSegLib.session import Session

    return Session(
        choice.description.name,
        model=args.model,
        device=args.device,
        seed=args.seed,
        parameters=choice.parameters,
        samples=args.samples,
        rates=Rates(rates_file()),
    )
