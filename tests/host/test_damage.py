"""mempool_check finds what a stray write did to the pools' own words, each of them, and is content
again when it is put right."""

from __future__ import annotations

import cffi
import corebuild as build
import pytest
from corelib import core_of
from modelparts import split

COUNTS = (3, 2, 33, 2, 2)
CONFIGS = [
    build.Config("damage", counts=COUNTS, owners=2),
    build.Config("damage-summary", counts=(3, 2, 130, 2, 2), owners=2),
    build.Config("damage-minimum", counts=COUNTS, owners=0, diagnostics=False),
    build.Config("damage-growing", counts=COUNTS, owners=2, grow=7, arena=1024),
]
UNIT = 1 << 20  # a free block in the state word
MEDIUM = 2


class Pool:
    """The words of a pool, as mempool_core.h lays them out: index -> value, from the state on."""

    def __init__(self, core):
        ffi = cffi.FFI()
        ffi.cdef("extern uint32_t *mempool_by_code[8];")
        self.ffi, self.lib = ffi, ffi.dlopen(core.path)
        self.words = self.lib.mempool_by_code[MEDIUM + 1]
        config = core.config
        leaves = (max(config.counts) + config.grow + 31) // 32
        summary = int(max(config.counts) > 128)
        # [summary], up, down, count, block_size, 8 counters or next_bits, leaves, state
        begin = -(leaves + (8 if config.diagnostics else 1) + 4 + summary)
        self.at = {
            "summary": begin,
            "count": begin + summary + 2,
            "allocs": begin + summary + 4,
            "block_size": begin + summary + 3,
            "deepest": begin + summary + 5,
            "leaf": -1,
            "last leaf": -((config.counts[MEDIUM] + 31) // 32),
            "state": 0,
        }
        # Behind the state, with DIAGNOSTICS, next_bits; and then with each word a stamp.
        self.block = lambda index: (1 + config.diagnostics) * (1 + index)

    def close(self) -> None:
        self.ffi.dlclose(self.lib)


@pytest.fixture(params=CONFIGS, ids=lambda config: config.name)
def core(request):
    core = core_of(request.param)
    yield core
    core.close()


def found(core, pool: Pool, index: int, change: int) -> bool:
    """Whether a change of a word is found; it is taken back."""
    was = pool.words[index]
    pool.words[index] = was ^ change
    broken = core.lib.mempool_check()
    pool.words[index] = was
    assert core.lib.mempool_check() == 0
    return broken > 0


def test_a_changed_word_is_found(core):
    held = core.lib.mempool_take(128, 0)
    pool = Pool(core)
    config = core.config
    used, free = pool.block(split(held)[2]), pool.block((split(held)[2] + 1) % 32)
    built = config.counts[MEDIUM]
    changes = {
        "fewer blocks than it was built with": (pool.at["count"], built ^ (built - 1)),
        "more blocks than it may have": (pool.at["count"], built ^ (built + config.grow + 1)),
        "another size of block": (pool.at["block_size"], 64),
        "a block more is free": (pool.at["state"], UNIT),
        "a block that does not exist": (pool.at["last leaf"], 1 << 31),
        "a free block that is claimed by nobody": (pool.at["leaf"], 2 << split(held)[2]),
        "a block in use that is free": (pool.at["leaf"], 1 << split(held)[2]),
        "a free block with a holder": (free, 1 << 6),
        "a block of another place": (used, 1 << (13 if config.owners else 11)),
        "a block larger than its pool's": (used, 256 << (6 if config.owners else 0)),
    }
    if config.counts[MEDIUM] == 130:
        changes["a leaf that the summary forgot"] = (pool.at["summary"], 1)
    if config.diagnostics:
        changes["another sum of sizes"] = (pool.at["state"], 1)
        changes["more free than ever"] = (pool.at["deepest"], 64 * UNIT)
    if config.owners:
        changes["an owner that there is none of"] = (used, 3 << 1)
        changes["of another owner"] = (used, 1 << 1)
    for what, (index, change) in changes.items():
        assert found(core, pool, index, change), what
    pool.close()
    assert core.lib.mempool_give(held) == 0


def test_counts_of_years():
    """Frees after 2^31 and 2^32 takes; none where little was taken, and a take is not counted."""
    core = core_of(CONFIGS[0])
    pool = Pool(core)
    held = core.lib.mempool_take(128, 0)

    def frees(allocs: int) -> tuple[int, int]:
        """Of the pool, and of all, after so many takes."""
        pool.words[pool.at["allocs"]] = allocs
        return core.stats(MEDIUM)["frees"], core.stats()["frees"]

    assert frees(1) == (0, 0)
    assert frees(0) == (0, 0)  # a taker has its ticket, and is not counted yet
    assert frees(100) == (99, 99)
    for allocs in (1 << 30, (1 << 31) - 1, 1 << 31, (1 << 31) + 1, (1 << 32) - 1):
        assert frees(allocs) == (allocs - 1, allocs - 1)
    assert frees(0) == (0xFFFFFFFF, 0xFFFFFFFF)  # it has come round, as frees will
    assert frees(1) == (0, 0)
    core.lib.mempool_reset_stats()
    assert frees(0) == (0, 0)
    pool.close()
    assert core.lib.mempool_give(held) == 0
    core.close()
