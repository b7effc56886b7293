# Threads publish what lies on the heap while another and the main one collect: no collection may
# miss a stack because a signal wakes the VM meanwhile (cmodules/eventbus/port/sem_wait.c).
# targets: unix unix32
import _thread
import gc
import random
import time

import mempool
from eventbus import bus

SECONDS = 4
PUBLISHERS = 4


def publish():
    bus.publish("a.b", {"v": 1, "s": "x" * random.getrandbits(6)}, random.getrandbits(2))


def fail():
    try:
        int("x")
    except ValueError:
        gc.collect()


def forever(call):
    def run():
        global running
        try:
            while not stop:
                call()
        except Exception as fault:
            faults.append(fault)
        running -= 1

    return run


def on_event(event):
    global delivered
    delivered += 1
    if delivered % 11 == 0:
        gc.collect()
    if delivered % 5 == 0:
        raise ValueError("x")


stop = False
faults = []
delivered = 0
running = PUBLISHERS + 1
bus.on_error = lambda subscription, fault: None
subscriptions = [bus.subscribe(pattern, on_event) for pattern in ("a.*", "*", "a.b")]
for call in [publish] * PUBLISHERS + [fail]:
    _thread.start_new_thread(forever(call), ())
begin = time.ticks_ms()
turns = 0
while time.ticks_diff(time.ticks_ms(), begin) < SECONDS * 1000 and not faults:
    bus.process(1)
    turns += 1
    if turns % 50 == 0:
        gc.collect()
    if turns % 70 == 0:
        bus.pause()
        time.sleep_ms(1)
        bus.resume()
stop = True
while running:
    time.sleep_ms(5)
for subscription in subscriptions:
    subscription.cancel()
bus.clear()
while bus.process():
    pass
bus.on_error = None
assert not faults, faults
assert delivered > 0 and mempool.check() == 0
