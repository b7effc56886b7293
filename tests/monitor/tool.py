"""tools/monitor.py as a user runs it, and what its tests need of this computer."""

import os
import subprocess
import sys
from pathlib import Path

from waiting import PROGRAM_S

ROOT = Path(__file__).resolve().parents[2]
# What a make that runs these tests has set, and another make must not see.
OF_MAKE = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "TARGET", "VARIANT", "CONFIG")
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in OF_MAKE}


def start(*arguments, environment=None):
    command = [sys.executable, ROOT / "tools/monitor.py", *arguments]
    return subprocess.Popen(
        [*map(str, command)],
        cwd=ROOT,
        env=ENVIRONMENT | (environment or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(*arguments, environment=None, timeout=PROGRAM_S):
    """-> status, stdout, stderr"""
    with start(*arguments, environment=environment) as process:
        try:
            out, err = process.communicate(timeout=timeout)
        finally:
            process.kill()
    assert "Traceback" not in err, err
    return process.returncode, out, err
