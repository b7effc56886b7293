# The bus's lock is not held while Python runs: a callback, a filter and on_error each wait until
# another thread has used the bus in every way, which it could not while the lock is held.
# targets: unix unix32
import _thread
import time

import mempool
from eventbus import EventBus, bus

asked = 0
done = 0
stop = False


def other():
    global done
    while not stop:
        if done < asked:
            bus.publish("other", n=1)
            sub = bus.subscribe("never", print)
            listener = bus.listen("never")
            bus.stats()
            mempool.alloc(10).free()
            listener.cancel()
            sub.cancel()
            done += 1
        time.sleep_ms(1)


def let_the_other():
    """True where the other thread got through meanwhile."""
    global asked
    asked += 1
    deadline = time.ticks_add(time.ticks_ms(), 20000)
    while done < asked and time.ticks_diff(deadline, time.ticks_ms()) > 0:
        time.sleep_ms(1)
    return done == asked


got = []


def callback(event):
    got.append(("callback", let_the_other(), event["n"]))
    raise ValueError


def filter(topic, priority):
    if topic == "a":
        got.append(("filter", let_the_other()))
    return True


def on_error(sub, error):
    got.append(("on_error", let_the_other()))


_thread.start_new_thread(other, ())
bus.on_error = on_error
bus.filter = filter
sub = bus.subscribe("a", callback)
assert bus.publish("a", n=7) is True
deadline = time.ticks_add(time.ticks_ms(), 60000)
while len(got) < 3 and time.ticks_diff(deadline, time.ticks_ms()) > 0:
    bus.process()
    time.sleep_ms(1)
assert got == [("filter", True), ("callback", True, 7), ("on_error", True)], got
stop = True
sub.cancel()
bus.filter = bus.on_error = None
EventBus(queue=1).publish("a")
while bus.process():
    pass
assert mempool.stats().used == 0 and mempool.check() == 0
