# What a subscriber raises is printed with its pattern where nobody asked to be told, and goes to
# on_error where somebody did; the next event comes all the same. A callback of C has no line of
# Python that a traceback could name.
import mempool
from eventbus import bus


def settle():
    while mempool.stats().used:
        bus.process()


with bus.subscribe("noise.*", int):
    bus.publish("noise.a")
    settle()
    print("the next event comes")
    bus.publish("noise.b")
    settle()
    told = []
    bus.on_error = lambda sub, error: told.append((sub.pattern, type(error)))
    bus.publish("noise.c")
    settle()
    bus.on_error = None
    print("told:", told)
print(mempool.stats().used, mempool.check())
