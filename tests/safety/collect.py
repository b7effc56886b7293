"""Prints the node ids that pytest finds in the files that are named, and fails where it cannot
read one. A folder's files are collected in a process of their own, as `make test` runs them; each
is a fork of this one, which has loaded pytest already.
"""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path

import hypothesis  # noqa: F401  so that the forks have it
import pytest


def collect(files: list[str]) -> int:
    """pytest's exit code for the files of one folder."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        code = pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", *files])
        sys.stdout.flush()
        os._exit(int(code))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(files: list[str]) -> int:
    folders = itertools.groupby(sorted(files), lambda file: Path(file).parent)
    return max([collect(list(group)) for _, group in folders], default=0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
