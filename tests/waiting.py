"""How a test waits: for what it wants to see, and for as long as a busy computer may need.

    page = wait_for(lambda: "ready" in (text := shown()) and text)
    wait_for(lambda: child.poll() is not None, shown=log.read_text)

A test that sleeps before it looks, or that counts what a second brings, holds on a quiet computer
only. No number here decides whether a test passes: they only end a run that hangs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")

# For one thing to come about. Ten processes a core leave each of them a tenth of the speed: what
# takes two seconds on a quiet computer takes twenty there.
PATIENCE_S = 180.0
# For a program that runs for a minute by itself: a whole run of a tool, a build, a suite.
PROGRAM_S = 1200.0
# By how much a limit that was set for a quiet computer is stretched on this one.
STRETCH = 10


def wait_for(
    what: Callable[[], Answer],
    seconds: float = PATIENCE_S,
    step: float = 0.02,
    shown: Callable[[], object] = lambda: "it never came",
) -> Answer:
    """The first true answer of what(); without one it fails with what shown() says then."""
    end = time.monotonic() + seconds
    while True:
        late = time.monotonic() > end  # looked at first: the last look is after the end
        answer = what()
        if answer:
            return answer
        assert not late, f"not within {seconds:g} s: {shown()}"
        time.sleep(step)
