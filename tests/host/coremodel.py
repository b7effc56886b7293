"""The whole contract of mempool.h as plain, sequential Python, to compare the core with.

The model does not say which of the free blocks a take gets (that is the core's choice); it says
whether there is one, of which pool, and everything that follows from it.
"""

from __future__ import annotations

import copy

from corebuild import BLOCK_SIZES, Config
from modelparts import (
    EXHAUSTED,
    FAIL,
    FOREIGN,
    GENERATIONS,
    GIVE,
    HEAP,
    HEAP_OK,
    NORMAL,
    OK,
    OWNERS,
    POISON,
    PYTHON,
    QUOTA,
    RANGE,
    RECLAIM,
    RECLAIMED,
    REFUSE,
    SIZE,
    SPILL,
    STALE,
    TAKE,
    Block,
    Heap,
    Owner,
    Pool,
    join,
    split,
)  # fmt: skip


class Model:
    """The state of everything, and one method for each call of the C contract."""

    def __init__(self, config: Config):
        self.config = config
        self.pools = [Pool(config, number) for number in range(5)]
        self.heap = Heap()
        self.owners: dict[int, Owner] = {}
        self.rings = 0
        self.foreign = 0  # refused uses of what belongs to no pool
        self.tick = 1
        self.told = [NORMAL] * 5
        self.hooked = False
        self.trace: list[tuple[int, int, int, int, int]] = []
        self.damaged: set[tuple[int, int]] = set()  # free blocks that were written to
        self.poison_hits = 0

    # -- bookkeeping --

    def record(self, what: int, handle: int, size: int = 0, owner: int = 0) -> None:
        if self.config.trace and self.config.diagnostics:
            self.trace.append((what, handle, size, owner, self.tick % (1 << 32)))
            del self.trace[: -self.config.trace]

    def live(self) -> list[int]:
        return [h for pool in (*self.pools, self.heap) for h in pool.handles()]

    def is_used(self, number: int, index: int) -> bool:
        return self.pools[number].blocks[index].used

    def find(self, handle: int) -> tuple[Pool | Heap | None, Block | None, int]:
        """The pool, the block and the status of a handle."""
        _, number, index = split(handle)
        if handle <= 0 or handle >> 30 or not 0 <= number < 5 + self.config.heap:
            return None, None, FOREIGN
        pool = self.pools[number] if number < 5 else self.heap
        gone = pool.gone if number < 5 else []
        if index >= len(pool.blocks) + len(gone):
            return None, None, FOREIGN
        if index >= len(pool.blocks):
            return pool, None, STALE  # it was a block once
        block = pool.blocks[index]
        alive = block.used and block.generation == handle >> 13
        return pool, block, OK if alive else STALE

    def refuse(self, handle: int, pool: Pool | Heap | None, status: int) -> int:
        if pool is None or pool is self.heap or status == FOREIGN:
            self.foreign += 1
        else:
            pool.refused += 1
        self.record(REFUSE, handle)
        return status

    # -- taking --

    def class_of(self, size: int) -> int:
        return next(n for n, block_size in enumerate(BLOCK_SIZES) if size <= block_size)

    def _attempt(self, pool: Pool, owner: int, flags: int) -> int:
        """OK where this pool may serve the owner; counts a denial."""
        if owner:
            if owner not in self.owners or not self.owners[owner].holders:
                return RANGE
            entry = self.owners[owner]
            if entry.quota and entry.used + pool.size > entry.quota:
                entry.denied += 1
                pool.denied += 1
                return QUOTA
        return OK if pool.has(flags) else EXHAUSTED

    def choose(self, size: int, owner: int, flags: int) -> int:
        """The status of a take, or the number of the pool that serves it (HEAP: the heap)."""
        status = self._choose_pool(size, owner, flags)
        if flags & HEAP_OK and self.config.heap and size and status in (EXHAUSTED, SIZE):
            status = self._choose_heap(size, owner)
        if status == EXHAUSTED:
            self.pools[self.class_of(min(size, BLOCK_SIZES[-1]))].failures += 1
            self.record(FAIL, EXHAUSTED, size, owner)
        return status

    def _choose_pool(self, size: int, owner: int, flags: int) -> int:
        if not 1 <= size <= BLOCK_SIZES[-1]:
            return SIZE
        first = self.class_of(size)
        for number in range(first, 5 if flags & SPILL else first + 1):
            status = self._attempt(self.pools[number], owner, flags)
            if status == OK:
                self.pools[first].spills += number != first
                return number
            if status == QUOTA:
                self.record(FAIL, QUOTA, size, owner)
            if status != EXHAUSTED:
                return status
        return EXHAUSTED

    def _choose_heap(self, size: int, owner: int) -> int:
        if owner:
            entry = self.owners.get(owner)
            if entry is None or not entry.holders:
                return RANGE
            if entry.quota and entry.used + size > entry.quota:
                entry.denied += 1
                self.heap.denied += 1
                self.record(FAIL, QUOTA, size, owner)
                return QUOTA
        return HEAP if any(not block.used for block in self.heap.blocks) else EXHAUSTED

    def why_not(self, size: int, owner: int, flags: int) -> int:
        """The status of a take that is going to fail; counts nothing."""
        return copy.deepcopy(self).choose(size, owner, flags)

    def kept(self, size: int, owner: int, python: bool) -> int:
        """The size that is remembered: 1 byte of C without an owner is kept as 2."""
        return 2 if size == 1 and not owner and not python and self.config.owners else size

    def taken(
        self, handle: int, number: int, size: int, owner: int, flags: int, *, looks: bool
    ) -> None:
        """The core gave this handle: it must be one that may be given. mempool_take does not look
        at the level, the other calls do."""
        generation, handle_pool, index = split(handle)
        assert 0 < handle < 1 << 30
        assert handle_pool == number, f"{handle:#x} is not of pool {number}"
        pool = self.pools[number] if number < 5 else self.heap
        if number < 5:
            size = self.kept(size, owner, bool(flags & PYTHON))
        assert index < len(pool.blocks)
        block = pool.blocks[index]
        assert not block.used, f"{handle:#x} is held already"
        assert generation == block.generation, f"{handle:#x}: expected {block.generation}"
        block.used, block.size, block.owner = True, size, owner
        block.python, block.tick = bool(flags & PYTHON), self.tick
        capacity = pool.size if pool is not self.heap else size
        pool.used += 1 if pool is not self.heap else size
        pool.allocs += 1
        if owner:
            entry = self.owners[owner]
            entry.used += capacity
            entry.peak = max(entry.peak, entry.used)
        if (number, index) in self.damaged:
            self.damaged.remove((number, index))
            self.poison_hits += 1
            self.record(POISON, handle)
        self.record(TAKE, handle, size, owner)
        if pool is not self.heap:
            pool.peak = max(pool.peak, pool.used)
            self.rings += self.hooked and pool.beyond()
            if looks:
                pool.look()

    # -- growing --

    def _fit(self, size: int) -> int | None:
        """The first offset of the arena with so many bytes to spare."""
        taken = sorted(
            (offset, offset + blocks * pool.size)
            for pool in self.pools
            for offset, blocks in pool.extents
        )
        at = 0
        for start, end in taken:
            if at + size <= start:
                break
            at = max(at, end)
        return at if at + size <= self.config.arena else None

    def grow(self, number: int, blocks: int) -> int:
        if not 0 <= number < 5 or not 1 <= blocks <= self.pools[number].may_grow():
            return RANGE
        pool = self.pools[number]
        offset = self._fit(blocks * pool.size)
        if offset is not None:
            pool.add(offset, blocks)
        pool.look()
        self.rings += self.hooked
        return EXHAUSTED if offset is None else blocks

    def shrink(self, number: int) -> int:
        if not 0 <= number < 5:
            return RANGE
        pool = self.pools[number]
        removed = pool.remove() if pool.can_shrink() else 0
        self.damaged = {(n, i) for n, i in self.damaged if i < self.pools[n].count}
        pool.look()
        self.rings += self.hooked
        return removed

    # -- giving --

    def give(self, handle: int, flags: int = 0) -> int:
        """mempool_give; with flags mempool_give_flags, which alone sees the level fall."""
        pool, block, status = self.find(handle)
        if status == OK and flags & PYTHON and not block.python:
            status = FOREIGN
        if status != OK:
            return status if flags & RECLAIM else self.refuse(handle, pool, status)
        self._release(handle, pool, block, bool(flags & RECLAIM), looks=flags != 0)
        return OK

    def _release(
        self, handle: int, pool: Pool | Heap, block: Block, reclaimed: bool, *, looks: bool
    ) -> None:
        block.used = False
        block.generation = (block.generation + 1) % GENERATIONS
        capacity = pool.size if pool is not self.heap else block.size
        pool.used -= 1 if pool is not self.heap else block.size
        pool.frees += 1
        pool.reclaimed += reclaimed
        if block.owner:
            self.owners[block.owner].used -= capacity
            self._forget(block.owner)
        self.record(RECLAIMED if reclaimed else GIVE, handle, block.size, block.owner)
        if pool is not self.heap and looks and pool.falls():
            self.rings += self.hooked
            pool.look()

    def reclaim_python(self) -> list[int]:
        """The handles that go back, in the order of the pools."""
        gone = [handle for handle in self.live() if self.find(handle)[1].python]
        for handle in gone:
            pool, block, _ = self.find(handle)
            self._release(handle, pool, block, True, looks=True)
        for number in list(self.owners):
            self.owner_close(number, PYTHON)
        return gone

    def adopt(self, handle: int, flags: int) -> int:
        pool, block, status = self.find(handle)
        if status != OK:
            return self.refuse(handle, pool, status)
        block.python = bool(flags & PYTHON)
        if pool is not self.heap:
            block.size = self.kept(block.size, block.owner, block.python)
        return OK

    def inspect(self, handle: int) -> tuple[int, ...] | int:
        """(size, capacity, pool, owner, python), or the status."""
        pool, block, status = self.find(handle)
        if status != OK:
            return status
        capacity = pool.size if pool is not self.heap else block.size
        return block.size, capacity, pool.number, block.owner, block.python

    def at_offset(self, number: int, index: int, offset: int) -> tuple[int, int]:
        """(status, handle) of the address `offset` bytes behind the start of a block: the pools'
        payload is one piece."""
        address = offset + index * BLOCK_SIZES[number]
        for pool in self.pools[:number]:
            address += pool.built * pool.size
        for pool in self.pools:
            if 0 <= address < pool.built * pool.size and address % pool.size == 0:
                index = address // pool.size
                block = pool.blocks[index]
                handle = join(block.generation, pool.number, index)
                return OK if block.used else STALE, handle
            address -= pool.built * pool.size
        return FOREIGN, 0

    def free(self, status: int, handle: int) -> int:
        """mempool_free of an address, as at_offset tells it."""
        if status == OK:
            return self.give(handle)
        return self.refuse(handle, self.find(handle)[0], status)

    def copy(self, handle: int, offset: int, length: int) -> int:
        """What write and read answer."""
        pool, block, status = self.find(handle)
        if status != OK:
            return self.refuse(handle, pool, status)
        return length if offset + length <= block.size else RANGE

    # -- owners --

    def owner_open(self, name: bytes, quota: int, flags: int) -> int:
        if not 1 <= len(name) <= 15 or quota >= 0x7FFFFFFF:
            return RANGE
        known = [number for number, owner in self.owners.items() if owner.name == name]
        free = [n for n in range(1, self.config.owners + 1) if n not in self.owners]
        if not known and not free:
            return OWNERS
        number = (known or free)[0]
        owner = self.owners.setdefault(number, Owner(name, quota, set()))
        owner.quota = quota
        owner.holders.add(flags & PYTHON)
        return number

    def owner_close(self, number: int, flags: int) -> int:
        owner = self.owners.get(number)
        if owner is None or flags & PYTHON not in owner.holders:
            return RANGE
        owner.holders.remove(flags & PYTHON)
        self._forget(number)
        return OK

    def _forget(self, number: int) -> None:
        owner = self.owners[number]
        if not owner.holders and owner.used == 0:
            del self.owners[number]

    def owner_info(self, number: int) -> tuple[bytes, int, int, int, int] | int:
        owner = self.owners.get(number)
        if owner is None or not owner.holders:
            return RANGE
        return owner.name, owner.quota, owner.used, owner.peak, owner.denied

    def unowned(self) -> int:
        """Everything in use less what live owners hold."""
        stats = self.stats()
        live = [owner.used for owner in self.owners.values() if owner.holders]
        return stats["used"] + stats["heap_used"] - sum(live)

    # -- seeing --

    def pool_stats(self, number: int) -> dict[str, int]:
        pool = self.pools[number]
        requested = sum(block.size for block in pool.blocks if block.used)
        counted = self.config.diagnostics
        return {
            "capacity": pool.count * pool.size,
            "used": pool.used * pool.size,
            "free": (pool.count - pool.used) * pool.size,
            "peak": pool.peak * pool.size * counted,
            "utilization": pool.used * 100 // pool.count,
            "allocs": pool.allocs * counted,
            "frees": pool.frees * counted,
            "failures": pool.failures * counted,
            "spills": pool.spills * counted,
            "reclaimed": pool.reclaimed * counted,
            "refused": pool.refused * counted,
            "denied": pool.denied * counted,
            "heap_used": 0,
            "requested": requested * counted,
            "waste": (pool.used * pool.size - requested) * counted,
            "largest_free": pool.size * pool.has(0),
            "level": pool.level,
        }

    def stats(self) -> dict[str, int]:
        rows = [self.pool_stats(number) for number in range(5)]
        total = {name: sum(row[name] for row in rows) for name in rows[0]}
        total["utilization"] = total["used"] * 100 // total["capacity"]
        total["largest_free"] = max(row["largest_free"] for row in rows)
        total["level"] = max(row["level"] for row in rows)
        counted = self.config.diagnostics
        total["refused"] += self.foreign * counted
        total["heap_used"] = self.heap.used
        for name in ("allocs", "frees", "reclaimed", "denied"):
            total[name] += getattr(self.heap, name) * counted
        return total

    def reset_stats(self) -> None:
        self.foreign = 0
        self.heap.allocs = self.heap.frees = self.heap.reclaimed = self.heap.denied = 0
        for pool in self.pools:
            pool.peak = pool.used
            pool.allocs = pool.frees = pool.failures = pool.spills = 0
            pool.reclaimed = pool.refused = pool.denied = 0
        for owner in self.owners.values():
            owner.peak, owner.denied = owner.used, 0

    def leaks(self, min_age_ms: int) -> list[tuple[int, int, int, int]]:
        """(handle, owner, size, age) of all that is held so long, oldest first."""
        if not self.config.diagnostics:
            return []
        found = []
        for handle in self.live():
            block = self.find(handle)[1]
            age_ms = min((self.tick - block.tick) * 10, 0xFFFFFFFF)
            if age_ms >= min_age_ms:
                found.append((handle, block.owner, block.size, age_ms))
        return sorted(found, key=lambda leak: -leak[3])

    def look(self) -> None:
        for pool in self.pools:
            pool.look()

    def edges(self) -> list[tuple[int, int]]:
        """What pressure_next tells until it has no more."""
        self.look()
        edges = [
            (pool.number, pool.level)
            for pool in self.pools
            if pool.level != self.told[pool.number]
        ]
        self.told = [pool.level for pool in self.pools]
        return edges

    def set_hook(self, hooked: bool) -> None:
        self.look()
        self.told = [pool.level for pool in self.pools]
        self.hooked = hooked
