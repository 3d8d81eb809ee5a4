"""`diffusionseg models`: which weights are here, and brings them, checks them, takes them along."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from DiffusionSegLib.cli.opening import add_common_options
from DiffusionSegLib.errors import InputError

_ACTIONS = {
    "list": "list [MODEL...]: all models, ready or not (default)",
    "info": "info MODEL...: everything about them",
    "download": "download MODEL...: fetch what is not here yet; resumes, and checks what came",
    "verify": "verify [MODEL...]: compare all files with their sha256",
    "import": "import BUNDLE.zip: take models out of an offline bundle",
    "export": "export MODEL... -o BUNDLE.zip: make one",
    "remove": "remove MODEL...: delete what was downloaded or dropped into the models folder",
}


def add_parser(subparsers: Any) -> None:
    """Registers the command."""
    parser = subparsers.add_parser(
        "models",
        help="list, describe, download, verify, import, export or remove models",
        description="\n".join(["Models and their weights.", "", *_ACTIONS.values()]),
        epilog=_SETTINGS,
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "action", nargs="?", choices=tuple(_ACTIONS), default="list", help="see above"
    )
    parser.add_argument("names", nargs="*", metavar="MODEL", help="METHOD/NAME or NAME")
    parser.add_argument("--method", metavar="M", help="only models of this method")
    parser.add_argument("--json", action="store_true", help="print JSON (list, info, verify)")
    group = parser.add_argument_group("download, import, export, remove")
    group.add_argument(
        "--accept-licence", action="store_true",
        help="accept the licences of these models without being asked; read them with 'info' first",
    )  # fmt: skip
    group.add_argument(
        "--half", action="store_true",
        help="download half-precision files where there are any: for an NVIDIA GPU",
    )  # fmt: skip
    group.add_argument("--mirror", metavar="URL", help="look here first, for URL/METHOD/NAME/FILE")
    group.add_argument("-o", "--output", type=Path, metavar="ZIP", help="the bundle to write")
    group.add_argument(
        "--with-wheels", action="store_true",
        help="put the Python packages into the bundle (this system and Python, CPU build)",
    )  # fmt: skip
    group.add_argument(
        "--replace", action="store_true", help="import also over other models of the same id"
    )
    group.add_argument("--yes", action="store_true", help="remove without being asked")
    add_common_options(parser)


_SETTINGS = """\
Settings are environment variables: HTTPS_PROXY and NO_PROXY (proxy), DIFFUSIONSEG_MIRROR and
HF_ENDPOINT (mirrors), HF_TOKEN and DIFFUSIONSEG_TOKENS=host=token,... (tokens; else the system's
keyring), DIFFUSIONSEG_MODELS (the folder of models), DIFFUSIONSEG_SLOWEST (bytes a second below
which a download is given up, 1000 if not set; lower it for a very slow line). What lies in the
Hugging Face cache is checked and taken over instead of being downloaded again.
"""


def run(args: argparse.Namespace) -> int:
    """Only a download or an import of a bundle loads more than cards."""
    from DiffusionSegLib.cli import models_changing, models_listing

    if args.action in ("list", "info", "verify"):
        return models_listing.run(args)
    if not args.names:
        what = "bundle" if args.action == "import" else "model"
        raise InputError(
            f"Which {what}? Give its name after {args.action!r}; see 'diffusionseg models'."
        )
    return models_changing.run(args)
