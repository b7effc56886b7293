# Owners and quotas: one part of a program cannot take the blocks of another, and one sees who
# holds what.
import mempool

radio = mempool.Owner("radio", quota=512)
logger = mempool.Owner("logger", quota=256)

held = []
try:
    while True:
        held.append(radio.alloc(100))  # 128 bytes of quota each: the whole block counts
except MemoryError as error:
    print("after %d blocks: %s" % (len(held), error))

# The others do not notice.
with logger.alloc(100) as line:
    line[0:5] = b"alarm"
    print(logger)

# Without exceptions, for code that must not raise.
print("take:", radio.take(100), "=", mempool.E_QUOTA)

print("who holds what:")
for _, owner, size, age_ms in mempool.leaks(0):
    name = owner.name if owner else "nobody"
    print("  %s: %d bytes, for less than %d s" % (name, size, age_ms // 1000 + 1))

for block in held:
    block.free()
for owner in (radio, logger):
    print("%s: used %d, peak %d, denied %d" % (owner.name, owner.used, owner.peak, owner.denied))
assert radio.used == logger.used == 0
assert mempool.check() == 0
