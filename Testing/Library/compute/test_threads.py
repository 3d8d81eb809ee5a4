import os
import subprocess
import sys

import pytest

PROGRAM = """
import os, sys
from DiffusionSegLib import Session
assert "torch" not in sys.modules
try:
    Session("cdal", "hippocampus", "auto")
except Exception as error:
    sys.stderr.write(str(error))
assert "torch" in sys.modules
sys.stdout.write(os.environ["OMP_WAIT_POLICY"])
"""


@pytest.mark.parametrize(("given", "expected"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_sleep_while_they_wait_unless_the_user_says_otherwise(given, expected):
    environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    if given:
        environment["OMP_WAIT_POLICY"] = given
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.stdout == expected, done.stderr
