# Many threads, one set of pools, no lock and no GIL: each block has one holder, each handle one
# giver.
# targets: unix unix32
import _thread
import gc
import time

import mempool

THREADS = 6
ROUNDS = 3000
lock = _thread.allocate_lock()
running = 0
errors = []


def start(function, *args):
    global running

    def body():
        global running
        try:
            function(*args)
        except BaseException as error:
            errors.append(error)
        with lock:
            running -= 1

    with lock:
        running += 1
    _thread.start_new_thread(body, ())


def join():
    deadline = time.ticks_add(time.ticks_ms(), 600000)
    while running:
        assert time.ticks_diff(deadline, time.ticks_ms()) > 0, "threads hang"
        time.sleep_ms(2)
    if errors:
        raise errors[0]


# Ownership is written into the block: nobody else's mark may appear in it.
def churn_handles(me):
    mark = bytes([me]) * 32
    seen = bytearray(32)
    for n in range(ROUNDS):
        h = mempool.take(32)
        if h > 0:
            assert mempool.write(h, 0, mark) == 32
            assert mempool.read(h, 0, seen) == 32 and seen == mark
            assert mempool.give(h) == 0


def churn_blocks(me):
    block = mempool.Block()
    for n in range(ROUNDS // 3):
        try:
            mempool.alloc_into(block, 32, timeout_ms=1000)
        except MemoryError:
            continue
        for i in range(4):
            block[i] = me
        for i in range(4):
            assert block[i] == me
        block.free()


for n in range(THREADS):
    start(churn_handles if n % 2 else churn_blocks, n + 1)
join()
assert mempool.stats().used == 0 and mempool.check() == 0

# Of all that free, detach or give the same Block, one succeeds.
shared = None
barrier = 0
won = []


def meet(everybody):
    global barrier
    with lock:
        barrier += 1
    while barrier < everybody:
        pass


def race(verb):
    meet(THREADS)
    if verb == 0:
        shared.free()
        return
    try:
        h = shared.detach() if verb == 1 else shared.handle
    except ValueError:
        return
    if verb == 1 or mempool.give(h) == 0:
        won.append((verb, h))


for n in range(60):
    shared = mempool.alloc(200)
    barrier = 0
    won[:] = []
    for verb in range(THREADS):
        start(race, verb % 3)
    join()
    detached = [h for verb, h in won if verb == 1]
    assert len(detached) <= 1 and len(won) <= 2, won
    for h in detached:
        mempool.give(h)
    assert mempool.LARGE.used == 0 and mempool.check() == 0

# Of all that attach the same handle, one gets it; of all that fill one empty Block, one fills it.
into = []


def attach(h):
    block = mempool.Block()
    meet(THREADS)
    try:
        block.attach(h)
        into.append(block)
    except ValueError:
        pass


def fill():
    meet(THREADS)
    try:
        mempool.alloc_into(shared, 200)
        into.append(shared)
    except ValueError:
        pass


for n in range(60):
    h = mempool.take(200)
    barrier = 0
    into[:] = []
    for _ in range(THREADS):
        start(attach, h)
    join()
    assert len(into) == 1 and into[0].handle == h
    into[0].free()
    shared = mempool.Block()
    barrier = 0
    into[:] = []
    for _ in range(THREADS):
        start(fill)
    join()
    assert into == [shared] and mempool.LARGE.used == 1
    shared.free()

# Two that wait for what a third gives.
handles = []
while not handles or handles[-1] > 0:
    handles.append(mempool.take(512))
handles.pop()
got = []


def wait():
    block = mempool.alloc(512, timeout_ms=600000)
    got.append(block.handle)
    block.free()


start(wait)
start(wait)
time.sleep_ms(30)
assert got == []
for h in handles:
    mempool.give(h)
join()
assert len(got) == 2
gc.collect()
assert mempool.stats().used == 0 and mempool.check() == 0
