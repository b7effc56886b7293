# One life after another: micropython soak_life.py FOLDER. Who lives, how a life ends, and what the
# next one must find is in FOLDER/state.json.
#
# A life ends at any jump of the virtual machine, out of a subscriber, in the safe state, by a loss
# of power, or in order. The first and the last life are the same two hours, without faults: what
# the GC heap and the pools hold then must be the same.
import sys

import _soak
import mempool
from soak_room import Life
from soak_state import Broken, State

ENDS = ("soft", "soft", "soft", "exit", "exit", "orderly", "safe", "power", "power", "power")


def note_end(state, life, kind):
    """What the next life must find: told in the middle of whatever this one was doing."""
    stats = mempool.stats()
    leaks = mempool.leaks(0)
    # Events may be the bus's or, where Python filled the block, nobody's.
    others = [handle for handle, owner, _, _ in leaks if owner and owner.name != "eventbus"]
    state["last"] = {
        "kind": kind,
        "handles": [handle for handle, _, _, _ in leaks][:8],
        "python": len(others),
        "blocks": len(leaks),
        "reclaimed": stats.reclaimed,
        "refused": stats.refused,
        "edges": life.books.edges,
        "epoch": _soak.get(_soak.counters().index("epoch")),
    }
    state.count("resets", kind)
    state.save()


def live(state):
    state["life"] += 1
    first = state["life"] == 1
    last = state["done_s"] >= state["total_s"]
    plain = first or last
    life = Life(state, plain)
    kind = "orderly" if plain else ENDS[life.chance.below(len(ENDS))]
    life.begin()
    if plain:
        state.park()
    else:
        for name in life.wraps.all_names():
            state["wraps"].setdefault(name, 0)
    life.run()
    if plain:
        reached = life.reference()
        state.unpark()
        if first:
            state["reference"] = reached
        else:
            state["end"] = reached
    if kind == "power":
        state["last"] = {"kind": "power"}
        state.count("resets", kind)
        state.save()
    try:
        life.end(kind)
    except (KeyboardInterrupt, SystemExit):
        pass
    if last and not first:
        state["finished"] = True
        state.save()
        return False
    note_end(state, life, kind)
    return True


def main():
    state = State(sys.argv[1])
    exec(state["nudge"], {})
    try:
        _soak.again(live(state))
    except Broken as broken:
        print("\nsoak: %s, life %d: %s" % (state.date(), state["life"], broken))
        sys.exit(1)


main()
