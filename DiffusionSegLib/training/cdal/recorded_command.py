"""The command line that a run was started with, for the card of its model."""

from __future__ import annotations

import json
import re
import shlex

from DiffusionSegLib.training.cdal.settings import Task

_OUTPUT = re.compile(r"--output (\S+)")


def training_command(task: Task, stage: int, plain: bool = False) -> str:
    """The task's own command with the settings given beside it.

    stage: how many runs came before; a later one continues from the checkpoint of the one before
    in a folder of its own. plain: without the settings, when they are not known.
    """
    command = str(task.card.get("command", f"diffusionseg train cdal --task {task.name}"))
    given = {} if plain else task.source.get("overrides", {})
    for name, value in given.items():
        text = value if isinstance(value, str) else json.dumps(value)
        command += " --set " + shlex.quote(f"{name}={text}")
    if stage == 0:
        return command
    folder = found[1] if (found := _OUTPUT.search(command)) else f"runs/{task.name}"
    before = folder if stage == 1 else f"{folder}-{stage}"
    command = _OUTPUT.sub(f"--output {folder}-{stage + 1}", command)
    return f"{command} --continue-from {before}/checkpoint.pt"
