"""Port numbers for the tests' servers that come and go, kept for one test process until it ends.

The system hands out 32768 and above to whoever connects, also while a server is away: a number
below them stays free for the server's next life. A lock on a file tells other test processes that
a number is taken; it goes with the process.
"""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

FIRST, LAST = 10000, 29999
FOLDER = Path(tempfile.gettempdir()) / f"mempool-ports-{os.getuid()}"
_kept = []
_chance = random.Random()


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """A number that nobody listens at and that no other test gets."""
    FOLDER.mkdir(exist_ok=True)
    for _ in range(1000):
        port = _chance.randint(FIRST, LAST)
        lock = (FOLDER / str(port)).open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket(socket.AF_INET, kind) as one:
                one.bind(("127.0.0.1", port))
        except OSError:
            lock.close()
            continue
        _kept.append(lock)
        return port
    raise AssertionError(f"no port of {FIRST} to {LAST} is free")
