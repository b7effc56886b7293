"""What the design promises of the pools' core and the other tests do not ask: that the free state
lies outside of the blocks, that check() sees damage of each kind, that a mask is set once, and
that there are 31 owners.
"""

from __future__ import annotations

import subprocess

import corebuild as build
import pytest
from corelib import core_of
from modelparts import CRITICAL, OK

UNPOISONED = [config for config in build.CONFIGS if not config.poison]
MASKED = [config.variants()[1] for config in (build.DEFAULT, build.ALL_ON, build.MINIMUM)]
DAMAGED = [build.DEFAULT, build.ALL_ON, build.MINIMUM, build.FULL, MASKED[0]]


@pytest.mark.parametrize("config", UNPOISONED, ids=lambda config: config.name)
def test_writes_into_free_blocks_break_nothing(config):
    """Every byte of every free block is overwritten: no pool is any different for that."""
    core = core_of(config)

    def take_all() -> list[int]:
        handles = []
        for size in build.BLOCK_SIZES:
            while (handle := core.lib.mempool_take_flags(size, 0, CRITICAL)) > 0:
                handles.append(handle)
        return handles

    handles = take_all()
    assert len(handles) == sum(config.counts)
    blocks = [core.inspect(handle)[:3] for handle in handles]
    held = handles.pop(0)
    for handle in handles:
        assert core.lib.mempool_give(handle) == OK
    before = core.stats()
    for byte in (b"\x00", b"\x55", b"\xff"):
        for address, _, capacity in blocks[1:]:
            core.ffi.buffer(core.pointer(address), capacity)[:] = byte * capacity
        assert core.lib.mempool_check() == 0
        assert core.stats() == before
    again = take_all()
    assert len(again) == len(set(again)) == len(handles)
    assert {core.data(handle) for handle in [held, *again]} == {block[0] for block in blocks}
    for handle in [held, *again]:
        assert core.lib.mempool_give(handle) == OK
    assert core.lib.mempool_check() == 0
    assert core.stats()["used"] == 0


def run(source: str, config: build.Config, *flags: str) -> None:
    program = build.program(source, config, ("-O1", *flags))
    done = subprocess.run([str(program)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("config", DAMAGED, ids=lambda config: config.name)
def test_check_sees_damage_of_every_kind(config):
    run("damage.c", config, "-Wl,--wrap=nanosleep")


def test_there_are_31_owners_and_none():
    """Each with a name, a quota and blocks of its own; the next one finds the table full."""
    core = core_of(build.FULL)
    lib = core.lib
    owners = [core.owner_open(b"owner%d" % number, 64) for number in range(31)]
    assert owners == list(range(1, 32))
    assert core.owner_open(b"one more", 64) == lib.MEMPOOL_E_OWNERS
    held = [lib.mempool_take(64, owner) for owner in [0, *owners]]
    assert min(held) > 0
    assert [core.inspect(handle)[4] for handle in held] == [0, *owners]
    for owner in owners:
        assert lib.mempool_take(1, owner) == lib.MEMPOOL_E_QUOTA
        assert core.owner_info(owner) == (b"owner%d" % (owner - 1), 64, 64, 64, 1)
    assert lib.mempool_take(1, 32) == lib.MEMPOOL_E_RANGE
    assert lib.mempool_unowned() == 64
    for handle in held:
        assert lib.mempool_give(handle) == OK
    assert lib.mempool_check() == 0
    assert core.stats()["used"] == 0


@pytest.mark.parametrize("config", MASKED, ids=lambda config: config.name)
def test_interrupts_are_masked_once_an_operation(config):
    run("mask_once.c", config, "-Wl,--wrap=pthread_mutex_lock")
