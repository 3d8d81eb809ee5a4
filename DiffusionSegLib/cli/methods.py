"""`diffusionseg methods`: what can outline, what it takes, what can be set."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from DiffusionSegLib.cli import exit_codes
from DiffusionSegLib.cli.opening import add_common_options

if TYPE_CHECKING:
    from DiffusionSegLib.methods.contract import MethodDescription, ParameterSpec


def add_parser(subparsers: Any) -> None:
    """Registers the command."""
    parser = subparsers.add_parser("methods", help="list the methods and their parameters")
    parser.set_defaults(run=run)
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_common_options(parser)


def run(args: argparse.Namespace) -> int:
    """Prints one block per method."""
    from DiffusionSegLib.methods.registry import get_method, method_names

    descriptions = [get_method(name).description for name in method_names()]
    if args.json:
        print(json.dumps([_plain(description) for description in descriptions], indent=2))
        return exit_codes.OK
    for description in descriptions:
        print("\n".join(_lines(description)))
    return exit_codes.OK


def _lines(description: MethodDescription) -> list[str]:
    prompts = ", ".join(sorted(description.prompts)) or "none (it finds its object by itself)"
    able = [word for word, can in (("refines", description.refines), ("trains", description.trains))
            if can]  # fmt: skip
    return [
        f"{description.name}: {description.title}",
        f"  {description.summary}",
        f"  {description.citation}",
        f"  prompts: {prompts}" + (f"; {', '.join(able)}" if able else ""),
        *(f"  --set {_parameter(spec)}" for spec in description.parameters),
    ]


def _parameter(spec: ParameterSpec) -> str:
    if spec.choices:
        reach = ", ".join(str(choice) for choice in spec.choices)
    elif spec.minimum is not None or spec.maximum is not None:
        low = "" if spec.minimum is None else f"{spec.minimum:g}"
        high = "" if spec.maximum is None else f"{spec.maximum:g}"
        reach = f"{low} to {high}"
    else:
        reach = spec.type
    return f"{spec.name}={spec.default}  ({reach})  {spec.description}"


def _plain(description: MethodDescription) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(description), "prompts": sorted(description.prompts)}
