"""The pools, blocks and owners of the model: counters and marks, and no decisions."""

from __future__ import annotations

import dataclasses

from corebuild import BLOCK_SIZES, Config

OK, EXHAUSTED, SIZE, QUOTA, STALE, FOREIGN, RANGE, OWNERS = 0, -1, -2, -3, -4, -5, -6, -7
SPILL, CRITICAL, PYTHON, HEAP_OK, RECLAIM = 1, 2, 4, 8, 16
NORMAL, LOW, HIGH = 0, 1, 2  # HIGH: the pressure level CRITICAL
TAKE, GIVE, RECLAIMED, FAIL, REFUSE, POISON = 1, 2, 3, 4, 5, 6
HEAP = 5
HEAP_BLOCKS = 32
EXTENTS = 4  # a pool
GENERATIONS = 1 << 17


def split(handle: int) -> tuple[int, int, int]:
    """(generation, pool number, index) of a handle: pool number 0 is TINY."""
    return handle >> 13, ((handle >> 10) & 7) - 1, handle & 1023


def join(generation: int, pool: int, index: int) -> int:
    return generation << 13 | (pool + 1) << 10 | index


@dataclasses.dataclass
class Block:
    generation: int = 0
    used: bool = False
    size: int = 0
    owner: int = 0
    python: bool = False
    tick: int = 0


@dataclasses.dataclass
class Owner:
    name: bytes
    quota: int
    holders: set[int]  # 0 for C, PYTHON
    used: int = 0
    peak: int = 0
    denied: int = 0


class Pool:
    def __init__(self, config: Config, number: int):
        self.number = number
        self.size = BLOCK_SIZES[number]
        self.built = self.count = config.counts[number]
        self.growable = config.grow
        self.reserve = config.reserve
        self.config = config
        self.blocks = [Block() for _ in range(self.count)]
        self.gone: list[Block] = []  # that were there once, in the order of their indexes
        self.extents: list[tuple[int, int]] = []  # (offset in the arena, blocks)
        self.used = self.peak = 0
        self.allocs = self.frees = self.failures = self.spills = 0
        self.reclaimed = self.refused = self.denied = 0
        self.level = NORMAL
        self.mark()

    def mark(self) -> None:
        """Where the levels begin, for as many blocks as there are."""
        usable = self.count - self.reserve
        self.low = -(-self.config.low * usable // 100)
        self.low_left = -(-self.config.low * 3 * usable // 400)
        self.critical = -(-self.config.critical * usable // 100)

    def may_grow(self) -> int:
        return 0 if len(self.extents) == EXTENTS else self.built + self.growable - self.count

    def add(self, offset: int, blocks: int) -> None:
        self.extents.append((offset, blocks))
        again, self.gone = self.gone[:blocks], self.gone[blocks:]
        self.blocks += again + [Block() for _ in range(blocks - len(again))]
        self.count += blocks
        self.mark()

    def can_shrink(self) -> bool:
        if not self.extents:
            return False
        last = self.extents[-1][1]
        idle = not any(block.used for block in self.blocks[-last:])
        return idle and self.count - self.used >= last + self.reserve

    def remove(self) -> int:
        _, blocks = self.extents.pop()
        self.gone = self.blocks[-blocks:] + self.gone
        del self.blocks[-blocks:]
        self.count -= blocks
        self.peak = min(self.peak, self.count)
        self.mark()
        return blocks

    def has(self, flags: int) -> bool:
        """Is a block free for a request with these flags?"""
        return self.used < self.count - (0 if flags & CRITICAL else self.reserve)

    def look(self) -> None:
        """The level moves when somebody looks."""
        if self.used >= self.critical or self.used > self.count - self.reserve:
            self.level = HIGH
        elif self.used >= self.low:
            self.level = max(self.level, LOW)
        elif self.used >= self.low_left:
            self.level = min(self.level, LOW)
        else:
            self.level = NORMAL

    def falls(self) -> bool:
        """Is it below the mark of its level?"""
        return self.used < {NORMAL: 0, LOW: self.low_left, HIGH: self.low}[self.level]

    def beyond(self) -> bool:
        """Would a look change the level?"""
        before = self.level
        self.look()
        after, self.level = self.level, before
        return after != before

    def handles(self) -> list[int]:
        return [
            join(block.generation, self.number, index)
            for index, block in enumerate(self.blocks)
            if block.used
        ]


class Heap:
    """Blocks of the heap: they stand in a table, and the first free place is used."""

    number = HEAP

    def __init__(self):
        self.blocks = [Block() for _ in range(HEAP_BLOCKS)]
        self.used = self.allocs = self.frees = self.reclaimed = self.denied = 0

    def handles(self) -> list[int]:
        return [
            join(block.generation, HEAP, index)
            for index, block in enumerate(self.blocks)
            if block.used
        ]
