"""Run by a Python that may carry the environment; prints what speaks against it, as JSON.

Its argument is an empty folder, in which it makes a virtual environment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys


def problem(folder: str) -> str:
    """A virtual environment is made, and its Python asked; "" when all of that works."""
    for name in ("ssl", "zlib", "ctypes", "venv", "ensurepip"):
        try:
            __import__(name)
        except Exception as error:  # noqa: BLE001  whatever a broken Python raises
            hint = ""
            if name in ("venv", "ensurepip") and os.path.isfile("/etc/debian_version"):
                hint = "; install it with: sudo apt install python%d.%d-venv" % sys.version_info[:2]  # noqa: UP031
            return "its module %s does not work (%s)%s" % (name, error, hint)  # noqa: UP031
    import venv

    place = os.path.join(folder, "trial")
    try:
        venv.EnvBuilder(symlinks=os.name == "posix", with_pip=False).create(place)
        inner = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
        command = [os.path.join(place, *inner), "-I", "-c", "import ssl; print(1)"]
        done = subprocess.run(command, capture_output=True, timeout=30, check=False)
    except Exception as error:  # noqa: BLE001  whatever a broken Python raises
        return "a virtual environment made from it does not work (%s)" % error  # noqa: UP031
    if done.returncode:
        words = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        return "a virtual environment made from it does not start (%s)" % "".join(words)[:200]  # noqa: UP031
    return ""


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps({"problem": problem(sys.argv[1])}) + "\n")
