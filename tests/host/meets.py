"""The core with something else in the middle of a call: before any one of its atomic accesses, or
of its locks, another call is made, as another core or an interrupt would make it (meets.h).

Where test_interleave.py explores every order of a few operations, a call here meets one whole
other call, at each of its steps in turn, whatever the two are: quick, and without a model.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import cffi
import corebuild as build
from corelib import Core, declarations

MEETS = """
extern bool meets_no_memory;
void meets_at(uint32_t access, void (*then)(void), bool takes_the_lock);
uint32_t meets_naps(void);
"""
FLAGS = ["-fPIC", "-shared", "-Wl,-z,defs", "-O1", "-include", str(build.HERE / "meets.h")]


@functools.cache
def meeting_interface() -> cffi.FFI:
    ffi = cffi.FFI()
    ffi.cdef(declarations() + "extern uint32_t mempool_port_host_tick;" + MEETS)
    ffi.cdef("extern unsigned mempool_port_depth;")
    return ffi


def library(config: build.Config) -> Path:
    sources = [build.HERE / "meets.c", *build.core_sources()]
    return build.compile_into("libmempool-meets.so", config, sources, FLAGS)


class MeetingCore(Core):
    """A core that can be met."""

    def __init__(self, config: build.Config):
        self.config = config
        self.path = str(library(config))
        self.ffi = meeting_interface()
        self.lib = None


def elsewhere(naps: Callable[[], int], action: Callable[[], object]) -> threading.Thread:
    """Begins `action` in a thread of its own, and comes back when it is over or waits, which shows
    in the count of naps: then it goes on when whoever it waits for does."""
    before = naps()
    thread = threading.Thread(target=action)
    thread.start()
    while thread.is_alive() and naps() - before < 3:
        thread.join(0.001)
    return thread


def steps(
    core,
    ready: Callable[[], Callable[[], object]],
    other: Callable[[], object],
    *,
    locks: bool = False,
    third: Callable[[], object] | None = None,
    behind: int = 1,
) -> Iterator[object]:
    """Makes a call of a core (its `lib` and `ffi`) again and again, and `other` within it, each
    time one step later, until it is over before `other` begins. `ready` prepares a run, and says
    what is to be called. A `third` comes `behind` steps after `other`. An `other` that `locks`
    does not come while the call has the lock: on another core it would wait.
    -> what the call returned; what any of them raises is raised.
    """
    met = 0
    problems: list[BaseException] = []

    def guard(action: Callable[[], object]) -> None:
        try:
            action()
        except BaseException as problem:  # C is in between: it is raised when that is over
            problems.append(problem)

    def meet() -> None:
        nonlocal met
        met += 1
        guard(other)
        if third is not None:
            core.lib.meets_at(behind, then_third, locks)

    then = core.ffi.callback("void(void)", meet)
    then_third = core.ffi.callback("void(void)", lambda: guard(third) if third else None)
    for step in range(1, 5000):
        call = ready()
        met = 0
        core.lib.meets_at(step, then, locks)
        result = call()
        core.lib.meets_at(0, core.ffi.NULL, False)
        if problems:
            raise problems[0]
        if not met:
            return
        yield result
    raise AssertionError("the call does not end")
