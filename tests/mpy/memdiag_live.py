# answer(): questions from outside. Nothing that comes in raises.
import json

import memdiag
import mempool

mempool.reset_stats()  # on a board others were here before
handle = mempool.Owner("bob").take(30)


def ask(request):
    return json.loads(memdiag.answer(request))


assert ask("snapshot")["snapshot"]["owners"]["bob"]["used"] == 32
live = ask(b"live\n")
assert sorted(live) == ["legend", "map", "snapshot"]
letter = [key for key, name in live["legend"].items() if name == "bob"][0]
assert live["map"]["TINY"].count(letter) == 1 and len(live["map"]["TINY"]) == mempool.TINY.count
assert ask("map") == {"map": live["map"], "legend": live["legend"]}
assert ask("report")["report"].startswith("=== Memory Pool Diagnostics Report ===")
((h, owner, size, age_ms),) = ask("leaks")["leaks"]
assert (h, owner, size) == (handle, "bob", 30) and age_ms >= 0
assert ask("history") == {"history": []}
mempool.give(-1)
assert mempool.stats().refused == 1 and ask("reset_stats") == {"reset_stats": True}
assert mempool.stats().refused == 0 and mempool.stats().used == 32

for wrong in ("nothing", "", "x" * 5000, b"\xff\xfe", b"", 7, None, [], {}, "SNAPSHOT"):
    assert "error" in ask(wrong), wrong
assert "reset_stats" in ask("what")["error"]

try:
    memdiag.stream(9)
    raise SystemExit("a period of 9 ms is taken")
except ValueError as error:
    assert "9" in str(error) and "10" in str(error)
memdiag.stream(10, 0)  # no line
