# Bad input: each its documented error, which names what is wrong and the limit; nothing is
# published, no block is lost.
import boardcfg
import mempool
from eventbus import EventBus, bus

seen = []
sub = bus.subscribe("*", seen.append)
publish = bus.publish


def raises(error, text, function, *args, **kw):
    try:
        function(*args, **kw)
    except error as exc:
        assert type(exc) is error and text in str(exc), (exc, text)
        return
    raise AssertionError((function, args, kw))


for topic in ("", ".", "a.", ".a", "a..b", "*", "a.*", "a*.b", "x" * 64, "\u20ac" * 22):
    raises(ValueError, "63", publish, topic)
for topic in (None, 5, b"a.b", ["a"]):
    raises(TypeError, "topic must be str", publish, topic)
raises(TypeError, "topic", publish)
assert publish("x" * 63) and publish("\u20ac" * 21)

for pattern in ("", ".", "a.", "a..*", "a*", "*a", "a.b*.c", "**", "x" * 64):
    raises(ValueError, "63", bus.subscribe, pattern, print)
    raises(ValueError, "63", bus.listen, pattern)
raises(TypeError, "pattern must be str", bus.subscribe, b"a", print)
raises(TypeError, "pattern must be str", bus.listen, 7)
raises(TypeError, "callback must be callable", bus.subscribe, "a", 7)
raises(TypeError, "", bus.subscribe, "a")
raises(TypeError, "", bus.subscribe, "a", print, True)  # once is a keyword

for payload in (
    {1, 2},
    object(),
    print,
    {1: 2},
    {b"k": 1},
    [object()],
    {"k": {"l": print}},
    1j,
    range(3),
):
    raises(TypeError, "", publish, "a", payload)
raises(TypeError, "cannot carry", publish, "a", field=print)
raises(TypeError, "not both", publish, "a", 1, field=2)
raises(TypeError, "priority", publish, "a", 1, 2, priority=2)
raises(ValueError, "4 containers", publish, "a", [[[[[]]]]])
raises(ValueError, "4 containers", publish, "a", a=[[[{}]]])
assert publish("a", [[[[]]]]) and publish("a", a=[[{}]])
raises(ValueError, "64 bits", publish, "a", 1 << 64)
raises(ValueError, "64 bits", publish, "a", -(1 << 64) - 1)
raises(ValueError, "64 bits", publish, "a", [1 << 1000])
raises(ValueError, "64 bits", publish, "a", -(1 << 100))
raises(ValueError, "496", publish, "a", "x" * 600)
raises(ValueError, "496", publish, "a", ["x" * 100] * 5)
for priority in (-1, 4, 1 << 40):
    raises(ValueError, "priority must be 0..3", publish, "a", 1, priority)
raises(TypeError, "priority must be an int", publish, "a", 1, "HIGH")

# Blocks: without room, views, empty, freed.
tight = mempool.alloc(32)
raises(ValueError, "16 bytes", publish, "a", tight)
assert tight[0] == tight[0]  # it is still the caller's
roomy = mempool.alloc(48)
raises(ValueError, "view", publish, "a", roomy[0:10])
raises(TypeError, "cannot carry", publish, "a", [roomy])
roomy.free()
raises(ValueError, "freed", publish, "a", roomy)
raises(ValueError, "freed", publish, "a", mempool.Block())
tight.free()
for size in (0, -1, 497, 1 << 40):
    raises(ValueError, "size must be 1..496", bus.block, size)
raises(TypeError, "size", bus.block, "x")

# Not queued: the block stays the caller's, with its content.
small = EventBus(queue=1)
small.pause()
kept = small.subscribe("*", seen.append)
assert small.publish("a", 1) is True
block = small.block(20)
block[:3] = b"abc"
handle = block.handle
assert small.publish("a", block) is False
assert block.handle == handle and bytes(block[:3]) == b"abc"
assert small.publish("a", block, 0) is True and not block
small.clear()
kept.cancel()

for queue in (0, -1, 257):
    raises(ValueError, "queue must be 1..256", EventBus, queue)
raises(TypeError, "queue", EventBus, "x")
raises(ValueError, "depth must be 1..256", bus.listen, "a", 0)
raises(ValueError, "policy must be 0..2", bus.listen, "a", 8, 3)
raises(ValueError, "max_ms", bus.process, -1)
raises(TypeError, "filter must be callable", setattr, bus, "filter", 5)
raises(TypeError, "on_error must be callable", setattr, bus, "on_error", 5)
raises(AttributeError, "", setattr, bus, "queue", 5)
raises(AttributeError, "", lambda: bus.nonsense)


# A filter that raises: its exception is the publisher's.
def bad_filter(topic, priority):
    raise OSError(5)


bus.filter = bad_filter
raises(OSError, "", publish, "a", 1)
bus.filter = None

# Tables: full, and it says which.
subs = []
try:
    while True:
        subs.append(bus.subscribe("full.x", print))
except MemoryError as error:
    assert "CONFIG_MEMORY_POOL_EVENT_SUBSCRIBERS" in str(error), error
assert len(subs) == boardcfg.MEMORY_POOL_EVENT_SUBSCRIBERS - 1
for one in subs:
    one.cancel()
    one.cancel()
bus.subscribe("full.x", print).cancel()

refused = bus.stats().refused
known = 0
while publish("topic.number.%d.%s" % (known, "x" * 40)):
    known += 1
    assert known < boardcfg.MEMORY_POOL_EVENT_TOPICS
assert known > boardcfg.MEMORY_POOL_EVENT_TOPICS - 12
assert bus.stats().refused == refused + 1
assert publish("a", 1) is True  # what is known goes on

while bus.process():
    pass
sub.cancel()
assert mempool.stats().used == 0 and mempool.check() == 0
