# Eight threads publish at all priorities without a GIL, others subscribe, cancel and keep: every
# event is delivered once or counted, in order within its thread and priority, and no block is
# lost.
# targets: unix unix32
# timeout: 120
import _thread
import gc
import time

import mempool
from eventbus import bus

THREADS = 8
EACH = 20000
lock = _thread.allocate_lock()
running = 0
failed = []
accepted = [0] * THREADS
refused = [0] * THREADS


def start(function, *args):
    global running

    def body():
        global running
        try:
            function(*args)
        except BaseException as error:
            failed.append(error)
        with lock:
            running -= 1

    with lock:
        running += 1
    _thread.start_new_thread(body, ())


def produce(me):
    publish = bus.publish
    for n in range(EACH):
        if publish("load.%d" % (me % 3), me=me, n=n, priority=n & 3):
            accepted[me] += 1
        else:
            refused[me] += 1


last = [[-1] * 4 for _ in range(THREADS)]
total = 0


def consume(event):
    global total
    me = event["me"]
    n = event["n"]
    before = last[me]
    assert n > before[n & 3], (me, n, before)
    assert event.priority == n & 3
    before[n & 3] = n
    total += 1


stop = False
ended = False


def meddle():
    global ended
    kept = []
    while not stop:
        sub = bus.subscribe(
            "load.*", lambda event: kept.append(event.keep()) if len(kept) < 4 else None
        )
        listener = bus.listen("*", depth=2)
        time.sleep_ms(1)
        sub.cancel()
        listener.get()
        listener.cancel()
        while kept:
            kept.pop().free()
    ended = True


errors = []
bus.on_error = lambda sub, error: errors.append(error)
sub = bus.subscribe("load.*", consume)
for me in range(THREADS):
    start(produce, me)
_thread.start_new_thread(meddle, ())
deadline = time.ticks_add(time.ticks_ms(), 1000000)
while running and time.ticks_diff(deadline, time.ticks_ms()) > 0:
    bus.process(5)
    time.sleep_ms(1)
assert not running and not failed, (running, failed)
stop = True
while not ended:
    time.sleep_ms(1)
while bus.process():
    pass
assert not errors, errors[:3]
stats = bus.stats()
assert sum(accepted) + sum(refused) == THREADS * EACH
assert stats.published == sum(accepted), (stats, sum(accepted))
assert stats.refused == sum(refused), (stats, sum(refused))
assert total == sub.delivered
assert total + sum(stats.dropped) == sum(accepted), (total, stats)
assert sub.dropped == sum(stats.dropped)
sub.cancel()
gc.collect()
gc.collect()
assert mempool.stats().used == 0 and mempool.check() == 0, mempool.leaks(0)


# process() from many threads at once: one delivers, the others get 0; nothing is delivered twice.
total = 0
last = [[-1] * 4 for _ in range(THREADS)]
sub = bus.subscribe("load.*", consume)
before = bus.stats()


def processes():
    for _ in range(2000):
        bus.process(1)


start(produce, 0)
for _ in range(3):
    start(processes)
while running:
    time.sleep_ms(1)
while bus.process():
    pass
after = bus.stats()
assert not failed and not errors, (failed, errors[:3])
assert after.published - before.published == total + sum(after.dropped) - sum(before.dropped)
sub.cancel()
assert mempool.stats().used == 0 and mempool.check() == 0
