# Pools and bus from every core and from an interrupt at once; then what each did must add up.
import mempool

try:
    from _platform import stress
except ImportError:
    print("NOT HERE: the firmware has no _platform.stress")
    raise SystemExit

for seconds in (5, 20):  # an emulated board on a busy computer needs longer
    mempool.reset_stats()
    players, turns, takes, exhausted, published, delivered, lost, errors = stress(seconds * 1000)
    if errors or (turns > 100 and takes > 50):
        break
print("FIGURE stress: players (tasks and an interrupt) =", players)
print("FIGURE stress: takes in %d s =" % seconds, takes)
print("FIGURE stress: events published, delivered =", (published, delivered))
print("turns %d, exhausted %d, lost %d, errors %d" % (turns, exhausted, lost, errors))
assert players >= 2 and turns > 100 and takes > 50
assert errors == 0
assert delivered > 0 and delivered <= published
assert mempool.check() == 0
assert mempool.stats().used == 0, mempool.leaks(0)
