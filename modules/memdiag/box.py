# What a program leaves to its next life: why it stopped, the pools and who held them, the last
# operations. In mempool.noinit, which resets leave alone, or in a file.
#
#      | head 24 | counts 36 | fill 30 | why 44 | used 2 an owner | operations 8 each | names ... |
#
# noinit has a CRC of its own, which every write renews. A file has two such records, each with its
# CRC, written in turn: while one is being written the other is whole.
import struct
import sys
from array import array

import boardcfg
import mempool
import uctypes

from . import state
from .arguments import string
from .box_store import HEAD, MAGIC, File, Region
from .owners import COUNT, NOBODY, look, name, raw_name, words

_COUNTS_AT = 24
_FILL_AT = 60
_WHY_AT = 90
_WHY = "44s"
_USED_AT = 134
_OPERATIONS_AT = (_USED_AT + 2 * COUNT + 3) & ~3
_OPERATIONS = 32
_NAMES_LEAST = 16  # bytes
_LEAST = _OPERATIONS_AT + _NAMES_LEAST
_COUNTS = state.FIELDS[state.ALLOCS : state.WASTE]
_SUSPECT = 0x8000  # beside what an owner uses, in units of 32 bytes
_WHAT = ("", "take", "give", "reclaim", "fail", "refuse", "poison")
_FILE = "blackbox.bin"

_last = None  # the BlackBox of this life


def _open(store, make):
    if store is None:
        store = _FILE
        if sys.platform not in ("linux", "darwin"):
            store = getattr(mempool, "noinit", None)
            if store is None:
                raise ValueError("no mempool.noinit: CONFIG_MEMORY_POOL_NOINIT_BYTES is 0")
    if isinstance(store, str):
        return File(store, make)
    if not hasattr(store, "reset_cause"):
        raise TypeError(
            "store must be mempool.noinit, a slice of it or a path, not %s" % type(store).__name__
        )
    if len(store) < _LEAST:
        raise ValueError(
            "store must have %d bytes or more, not %d (CONFIG_MEMORY_POOL_NOINIT_BYTES)"
            % (_LEAST, len(store))
        )
    return Region(store)


class BlackBox:
    """store: mempool.noinit, a slice of it, or a path; None: noinit, blackbox.bin on a PC."""

    def __init__(self, store=None):
        global _last
        self._store = _open(store, True)
        self._found = self._store.read()
        self.reset_cause = self._store.cause
        size = self._store.size
        room = min(_OPERATIONS, (size - _LEAST) // 8)
        if not boardcfg.MEMORY_POOL_TRACE_ALLOCATIONS:
            room = 0
        buffer = array("I", bytes(size))
        at = _OPERATIONS_AT // 4
        self._operations = memoryview(buffer)[at : at + 2 * room]
        self._data = uctypes.bytearray_at(uctypes.addressof(buffer), size)
        self._buffer = buffer
        self._names_at = _OPERATIONS_AT + 8 * room
        self._stats = state.words()
        self._pools = mempool.pools()
        self._views = [raw_name(number) for number in range(COUNT)]
        self._names = [b""] * COUNT
        self._number = 0
        self._lives = 1
        if self._found[0] == "valid":
            head = struct.unpack_from(HEAD, self._found[2])
            self._number = head[2]
            self._lives = (head[4] + 1) & 0xFFFF
        self.flags = bytearray(COUNT)  # 1: suspected of a leak; a Monitor puts its own here
        _last = self

    @property
    def raw(self):
        """The bytes that the life before has left, as they were found."""
        return self._found[2]

    def read(self):
        """What the life before has left: as memdiag.blackbox()."""
        return _decode(self._found, self.reset_cause)

    def save(self, why=None, edge=False):
        """Writes what there is now. why: up to 44 bytes, which stay until the next. edge: it may
        take GC heap to put names in order, as with a `why`; without heap they stay as they are."""
        data = self._data
        stats = self._stats
        if why is not None:
            struct.pack_into(_WHY, data, _WHY_AT, string("why", why))
        mempool.stats_into(stats)
        look()
        operations = mempool.trace_into(self._operations) if len(self._operations) else 0
        self._number = (self._number + 1) & 0x3FFFFFFF
        struct.pack_into(
            HEAD,
            data,
            0,
            MAGIC,
            0,
            self._number,
            mempool.uptime_s(),
            self._lives,
            len(data) // 4,
            operations,
            stats[state.LEVEL],
            len(self._operations) > 0,
            COUNT,
        )
        at = _FILL_AT
        for pool in self._pools:
            struct.pack_into("<HHH", data, at, pool.count, pool.used, pool.peak)
            at += 6
        buffer = self._buffer
        at = _COUNTS_AT // 4
        for nth in range(state.ALLOCS, state.WASTE):
            buffer[at] = stats[nth]
            at += 1
        self._save_owners(edge or why is not None)
        self._store.write(data)

    def _save_owners(self, changed):
        flags = self.flags
        views = self._views
        names = self._names
        data = self._data
        at = _USED_AT
        for number in range(COUNT):
            used = words[number << 3] >> 5
            data[at] = used & 255
            data[at + 1] = used >> 8 | 128 if flags[number] == 1 else used >> 8
            at += 2
            if views[number] != names[number]:
                changed = True
        if changed:
            try:
                self._save_names()
            except MemoryError:
                pass  # the next one tries again; who is new has a number until then

    # Each as its number, its letters, and a 0. Where there is not room for all, those who hold
    # least keep three letters.
    def _save_names(self):
        names = [bytes(view) for view in self._views]
        live = [(-words[number << 3], number) for number in range(1, COUNT) if any(names[number])]
        room = len(self._data) - self._names_at
        left = len(live)
        packed = b""
        for _, number in sorted(live):
            left -= 1
            letters = room - len(packed) - 3 - 5 * left
            if letters > 0:
                text = _whole(name(number).encode()[:letters])
                packed += bytes([number]) + text + b"\0"
        struct.pack_into("%ds" % room, self._data, self._names_at, packed)
        self._names = names

    def close(self):
        """Of a file."""
        self._store.close()


def blackbox(store=None):
    """What the life before has left; of a store that is named, what is in it now."""
    if store is None and _last is not None:
        return _last.read()
    opened = _open(store, False)
    try:
        return _decode(opened.read(), opened.cause)
    finally:
        opened.close()


# Without the beginning of a letter whose end was cut off.
def _whole(text):
    while text:
        try:
            text.decode()
            break
        except UnicodeError:
            text = text[:-1]
    return text


def _text(data):
    return _whole(bytes(data).split(b"\0", 1)[0]).decode()


# ---- Reading


def _decode(found, cause):
    how, why_not, data = found
    told = {"state": how, "why_not": why_not, "reset_cause": cause}
    told.update({"uptime_s": None, "lives": 0, "why": "", "snapshot": None, "operations": []})
    told["not_traced"] = ""
    if how != "valid":
        return told
    try:
        _decode_record(data, told)
    except (ValueError, IndexError, KeyError) as fault:  # of another version of this firmware
        why_not = str(fault) or type(fault).__name__
        told = _decode(("corrupt", "the record makes no sense: " + why_not, b""), cause)
    return told


def _decode_record(data, told):
    _, _, _, uptime_s, lives, _, operations, level, traced, count = struct.unpack_from(HEAD, data)
    operations_at = (_USED_AT + 2 * count + 3) & ~3
    room = min(_OPERATIONS, (len(data) - operations_at - _NAMES_LEAST) // 8) if traced else 0
    owners, suspects, names = _decode_owners(data, count, operations_at + 8 * room)
    told["uptime_s"] = uptime_s
    told["lives"] = lives
    told["why"] = _text(data[_WHY_AT : _WHY_AT + 44])
    told["snapshot"] = snapshot = _decode_pools(data)
    snapshot.update({"uptime_s": uptime_s, "level": level})
    snapshot.update({"owners": owners, "suspects": suspects})
    for nth in range(operations):
        handle, packed = struct.unpack_from("<iI", data, operations_at + 8 * nth)
        owner = packed >> 24 & 31
        told["operations"].append(
            (
                _WHAT[packed >> 29],
                handle,
                packed >> 14 & 1023,
                names.get(owner) if owner else None,
                (packed & 16383) * 10,
            )
        )
    if not traced:
        told["not_traced"] = "built without CONFIG_MEMORY_POOL_TRACE_ALLOCATIONS"


def _decode_pools(data):
    pools = {}
    capacity = used_bytes = peak_bytes = 0
    at = _FILL_AT
    for pool in mempool.pools():
        size = pool.block_size
        count, used, peak = struct.unpack_from("<HHH", data, at)
        if not count:
            raise ValueError("%s of no blocks" % pool.name)
        at += 6
        capacity += size * count
        used_bytes += size * used
        peak_bytes += size * peak
        pools[pool.name] = {
            "block_size": size,
            "count": count,
            "used": used,
            "free": count - used,
            "peak": peak,
        }
    snapshot = {"capacity": capacity, "used": used_bytes, "free": capacity - used_bytes}
    snapshot["peak"] = peak_bytes
    snapshot["utilization"] = used_bytes * 100 // capacity
    at = _COUNTS_AT
    for key in _COUNTS:
        snapshot[key] = struct.unpack_from("<I", data, at)[0]
        at += 4
    snapshot["waste"] = max(0, used_bytes - snapshot["requested"])
    snapshot["pools"] = pools
    return snapshot


def _decode_owners(data, count, names_at):
    names = {number: "owner %d" % number for number in range(1, count)}
    names[0] = NOBODY
    known = {0}
    while names_at < len(data) and data[names_at]:
        number = data[names_at]
        names[number] = text = _text(data[names_at + 1 : names_at + 17])
        known.add(number)
        names_at += 2 + len(text.encode())
    owners = {}
    suspects = []
    for number in range(count):
        used = struct.unpack_from("<H", data, _USED_AT + 2 * number)[0]
        if used & _SUSPECT:
            suspects.append(names[number])
        if used or number in known:
            owners[names[number]] = {"used": (used & ~_SUSPECT) << 5}
    return owners, suspects, names
