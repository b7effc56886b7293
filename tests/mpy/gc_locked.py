# The GC heap locked, then full: what needs no heap works, what fails fails with its text, nothing
# is lost.
import array
import gc

import boardcfg
import mempool
import micropython


def no_heap():
    micropython.heap_lock()
    try:
        return [1]
    except MemoryError:
        return None
    finally:
        micropython.heap_unlock()


assert no_heap() is None

empty = mempool.Block()
spare = mempool.Block()
full = mempool.alloc(100)
words = array.array("I", [0] * 17)
leaks = array.array("I", [0] * 16)
buffer = bytearray(b"12345678")
into = bytearray(8)
owner = mempool.Owner("locked", 64)
results = [0] * 8


def use():
    # Everything that a program may do in a callback with a locked heap.
    mempool.alloc_into(empty, 40)
    empty[0] = 65
    results[0] = empty[0]
    results[1] = len(empty)
    empty.free()
    mempool.alloc_into(empty, 20, critical=True, spill=False, timeout_ms=0, owner=owner)
    handle = empty.detach()
    results[2] = mempool.write(handle, 0, buffer)
    results[3] = mempool.read(handle, 0, into)
    empty.attach(handle)
    results[4] = mempool.give(handle)
    results[5] = mempool.give(handle)
    results[6] = owner.take(64)
    results[7] = owner.take(64)
    mempool.give(results[6])
    mempool.stats_into(words)
    mempool.leaks_into(leaks, 0)
    with full:
        pass
    mempool.alloc_into(full, 100)


def check_results():
    assert results[:6] == [65, 40, 8, 8, 0, mempool.E_STALE], results
    assert results[6] > 0 and results[7] == mempool.E_QUOTA
    assert into == buffer and words[0] == mempool.stats().capacity


# Locked.
micropython.heap_lock()
problem = None
try:
    use()
except Exception as error:
    problem = error
micropython.heap_unlock()
assert problem is None, problem
check_results()
assert not empty and len(full) == 100 and mempool.stats().used == 128

# alloc_into says what is out, although there is no heap for words.
taken = [mempool.take(512) for _ in range(mempool.XLARGE.count)]
used = mempool.stats().used
message = None


def exhausted():
    # The text lives in the emergency buffer: looked at before the next one comes.
    global message
    try:
        mempool.alloc_into(empty, 512, spill=False)
    except MemoryError as error:
        message = error.args[0] == expected


expected = "XLARGE exhausted: %d of %d blocks of 512 bytes in use" % (
    mempool.XLARGE.used,
    mempool.XLARGE.count,
)
plain = boardcfg.MEMORY_POOL_EMERGENCY_RESERVE == 0 and boardcfg.MEMORY_POOL_STRICT_MODE
if plain:
    micropython.heap_lock()
    exhausted()
    micropython.heap_unlock()
    assert message is True
    assert not empty and mempool.stats().used == used


def quota():
    global message
    try:
        owner.alloc_into(empty, 100)
    except MemoryError as error:
        message = error.args[0] == "owner 'locked': quota 64 bytes reached (0 used, 128 asked)"


message = None
micropython.heap_lock()
quota()
micropython.heap_unlock()
assert message is True and not empty

# alloc cannot make its object: MicroPython's MemoryError, and no block taken.
caught = None


def alloc():
    global caught
    try:
        mempool.alloc(10)
    except MemoryError:
        caught = True


micropython.heap_lock()
alloc()
micropython.heap_unlock()
assert caught and mempool.stats().used == used and mempool.TINY.used == 0

# Wrong arguments keep their own errors.
kinds = [None] * 5


def wrong():
    n = 0
    for size in (0, "x", None):
        try:
            mempool.alloc_into(empty, size)
        except Exception as error:
            kinds[n] = type(error)
        n += 1
    try:
        mempool.take("x")
    except Exception as error:
        kinds[3] = type(error)
    try:
        len(empty)
    except Exception as error:
        kinds[4] = type(error)


micropython.heap_lock()
wrong()
micropython.heap_unlock()
assert kinds == [ValueError, TypeError, TypeError, TypeError, ValueError], kinds

# Full: every byte of the GC heap is somebody's.
for handle in taken:
    if handle > 0:
        mempool.give(handle)
results[:] = [0] * 8
hog = None
gc.collect()


def fill_heap():
    global hog
    size = 65536
    while size >= 16:
        try:
            hog = (hog, bytearray(size))
        except MemoryError:
            size //= 2
    while True:
        hog = (hog,)


def alloc_until_full():
    global count
    while True:
        kept[count] = mempool.alloc(10)
        count += 1


def release():
    global hog
    hog = None
    gc.collect()


kept = [None] * 200
count = 0
try:
    fill_heap()
except MemoryError:
    pass
problem = None
try:
    use()
except Exception as error:
    problem = error
# alloc needs heap for its object, and there is hardly any: at the end MicroPython's MemoryError,
# and every block is in a Block that somebody has.
caught = None
try:
    alloc_until_full()
except MemoryError:
    caught = mempool.TINY.used
release()
assert problem is None, problem
assert caught == count < mempool.TINY.count, (caught, count)
for n in range(count):
    kept[n].free()
check_results()
assert mempool.stats().used == 128 and len(full) == 100
full.free()
release()
assert mempool.stats().used == 0 and mempool.check() == 0
