"""What a Python has: its packages, whether torch can be imported, whether it reaches the card."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from DiffusionSegLib.environments.children import ask
from DiffusionSegLib.environments.packages import EXTRAS, packages
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.worker.command import foreign_environment
from DiffusionSegLib.worker.process_tree import ended_by

__all__ = ["Probe", "probe"]

_SCRIPT = Path(__file__).with_name("probe_script.py")
_MARK = "DiffusionSeg-probe:"


@dataclass(frozen=True)
class Probe:
    """python: its program; packages: distribution to version, names as PEP 503 writes them.

    torch: its version, None when it cannot be imported; torch_problem: then what the import said,
    "" when it is not installed at all; torch_files: whether a folder torch is there;
    torch_cuda: the CUDA that it was built for, "" for none; cuda_works: a computation on the card
    succeeded; cuda_problem: why not. architectures: that torch has code for ("sm_86");
    capability: of the first card ("8.6"). numpy_problem: what the import of numpy said.
    torch_numpy: whether torch can use numpy's arrays. isolated: an environment of this program;
    broken: modules whose package is installed and whose files are not there.
    """

    python: str
    version: str
    packages: Mapping[str, str] = field(default_factory=dict)
    torch: str | None = None
    torch_problem: str = ""
    torch_cuda: str = ""
    cuda_works: bool = False
    cuda_problem: str = ""
    torch_files: bool = False
    architectures: tuple[str, ...] = ()
    capability: str = ""
    numpy_problem: str = ""
    torch_numpy: bool = True
    prefix: str = ""
    system: str = ""
    machine: str = ""
    isolated: bool = False
    broken: tuple[str, ...] = ()


def probe(
    python: Sequence[str],
    environment: Mapping[str, str] | None = None,
    timeout_s: float = 120.0,
) -> Probe:
    """Looked at in a child process; python: the words that start it, options included.

    environment: the whole one that it gets (None: `foreign_environment`). Raises InputError when it
    does not start, is too old to be asked or does not answer in time.
    """
    given = foreign_environment(python) if environment is None else dict(environment)
    modules = [one.module for one in packages(EXTRAS)]
    told = _answer([*python, str(_SCRIPT), *modules], given, timeout_s)
    values: dict[str, Any] = {name: told[name] for name in Probe.__dataclass_fields__}
    for name in ("architectures", "broken"):
        values[name] = tuple(values[name])
    return Probe(**values)


def _answer(command: Sequence[str], environment: dict[str, str], timeout_s: float) -> Any:
    shown = repr(command[0])
    try:
        code, out, err = ask(command, timeout_s, environment)
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"The Python {shown} did not answer within {timeout_s:.0f} s; choose another one."
        ) from error
    except (OSError, ValueError) as error:
        raise InputError(f"The Python {shown} cannot be started ({error}).") from error
    lines = [line for line in out.splitlines() if line.startswith(_MARK)]
    if lines:
        told = json.loads(lines[-1].removeprefix(_MARK))
        if told["importing"]:
            told[f"{told['importing']}_problem"] = (
                f"it stopped the Python that imported it, {ended_by(code)}"
            )
        return told
    words = err.strip().splitlines()[-1:]
    last = f": {words[0][:300]}" if words else ""
    raise InputError(
        f"The program {shown} does not work as a Python (exit code {code}{last}); "
        "choose another one."
    )
