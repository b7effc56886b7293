"""A busy computer, made to order: so many processes that do nothing but compute, beside the tests.

with Load(8):
    ...

busy.py 8        # whether that is a number that make test LOAD= takes
"""

import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

from console import die_with_parent  # noqa: E402

MOST = 64


class Refused(Exception):
    """One line that names what is wrong."""


def workers(text):
    """The number that LOAD= says; nothing and 0 are none."""
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()) or int(text) > MOST:
        raise Refused(f"LOAD={text} is not a whole number from 0 to {MOST}")
    return int(text)


class Load:
    """stress-ng for as long as the block runs. `ended_early`: it was not there to the end."""

    def __init__(self, count):
        self.count = count
        self.process = None
        self.ended_early = False

    def __enter__(self):
        if self.count:
            command = shutil.which("stress-ng")
            if command is None:
                raise Refused("LOAD= needs stress-ng: run sudo apt-get install stress-ng")
            self.process = subprocess.Popen(
                [command, "--quiet", "--timeout", "0", "--cpu", str(self.count)],
                stdin=subprocess.DEVNULL,
                preexec_fn=die_with_parent,
            )
        return self

    def __exit__(self, *args):
        if self.process:
            self.ended_early = self.process.poll() is not None
            self.process.terminate()  # it ends its workers
            self.process.wait()


if __name__ == "__main__":
    try:
        workers(sys.argv[1])
    except Refused as error:
        sys.exit(f"test: {error}")
