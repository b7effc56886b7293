# The session of the contract, line by line, as a user types it at the prompt.
# fresh: after a start, not a soft reset
import boardcfg
import mempool
import uctypes

# What it prints is that of the boards as they come.
usual = boardcfg.MEMORY_POOL_DIAGNOSTICS and boardcfg.MEMORY_POOL_STRICT_MODE
if not usual or not boardcfg.MEMORY_POOL_OWNERS:
    print("SKIP")
    raise SystemExit(0)

print(mempool.TINY)
print(mempool.pools())
b = mempool.alloc(100)
print(b, len(b), b.capacity, b.owner)
with mempool.alloc(100) as c:
    print(c.pool)
print(c, mempool.MEDIUM)
e = mempool.Block()
print(e, bool(e))
mempool.alloc_into(e, 100)
print(e, bool(e))
b[0] = 1
b[4:8] = b"abcd"
v = b[4:8]
print(v, bytes(v))
v[0] = 90
print(b[0], bytes(b[4:8]))
h = b.detach()
print(h > 0, b)
b.attach(h)
print(b, b.handle == h)
b.free()
b.free()
print(b, v)
for use in (lambda: b[0], lambda: v[0]):
    try:
        use()
    except ValueError as error:
        print(repr(error))
e.free()

x = mempool.Owner("x", quota=1024)
with x.alloc(100) as d:
    print(x, d.owner is x)
print(mempool.owners())

T = mempool.Struct({"temperature": uctypes.FLOAT32 | 0, "id": uctypes.UINT16 | 4})
with T() as s:
    s.temperature = 25.5
    print(T, s, s.temperature, s.id)
print(s)

h = mempool.take(64)
print(mempool.write(h, 60, b"1234"), mempool.write(h, 61, b"1234") == mempool.E_RANGE)
into = bytearray(4)
print(mempool.read(h, 60, into), into)
print(mempool.give(h), mempool.give(h) == mempool.E_STALE, mempool.give(-1) == mempool.E_FOREIGN)
print(mempool.take(0) == mempool.E_SIZE)
try:
    mempool.alloc(600)
except ValueError as error:
    print(error)
print(mempool.leaks(0), mempool.check())
print(mempool.stats().used, mempool.stats().refused)
