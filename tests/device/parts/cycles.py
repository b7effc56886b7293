# What each operation costs by this machine's own counter.
import mempool

table = mempool.benchmark()
print([table[0].unit] + [(row.operation, row.min, row.median, row.max) for row in table])
