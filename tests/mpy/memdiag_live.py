# answer(): questions from outside. Nothing that comes in raises.
import json
import sys

import memdiag
import mempool
import micropython

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
freed = mempool.alloc(4)
freed.free()
assert "error" in ask(freed)
answer = memdiag.answer
text = ""
for request in ("live", b"live", b"no name that is known"):
    micropython.heap_lock()
    try:
        text = answer(request)
    finally:
        micropython.heap_unlock()
    assert "no GC heap" in json.loads(text)["error"]
if sys.platform == "linux":
    for port, error in ((-1, ValueError), (65536, ValueError), ("x", TypeError)):
        try:
            memdiag.Responder(port)
            raise SystemExit("port %s is taken" % port)
        except error as fault:
            assert "port" in str(fault)
    try:  # an address that is not of this machine, as one that is taken
        memdiag.Responder(18765, "192.0.2.1")
        raise SystemExit("bound to 192.0.2.1")
    except OSError as fault:
        assert "UDP 192.0.2.1:18765" in str(fault) and fault.errno == 99, fault  # EADDRNOTAVAIL
    try:
        memdiag.Responder(0, None)
        raise SystemExit("bound to None")
    except TypeError as fault:
        assert "host must be a str, not NoneType" in str(fault)
    responder = memdiag.Responder(0)  # and a poll without heap
    polled = responder.poll()
    assert polled == 0
    micropython.heap_lock()
    try:
        polled = responder.poll()
    finally:
        micropython.heap_unlock()
    assert polled == 0
    responder.close()
    # A black box that cannot be read.
    import os

    os.mkdir("/tmp/mempool_live_test")
    here = os.getcwd()
    os.chdir("/tmp/mempool_live_test")
    os.mkdir("blackbox.bin")
    try:
        assert "black box blackbox.bin" in ask("blackbox")["error"]
    finally:
        os.rmdir("blackbox.bin")
        os.chdir(here)
        os.rmdir("/tmp/mempool_live_test")

try:
    memdiag.stream(9)
    raise SystemExit("a period of 9 ms is taken")
except ValueError as error:
    assert "9" in str(error) and "10" in str(error)
for wrong, error in (("x", TypeError), (1.5, TypeError), (-1, ValueError)):
    try:
        memdiag.stream(10, wrong)
        raise SystemExit("stream of %r lines" % wrong)
    except error as fault:
        assert str(fault).startswith("count must be "), fault
memdiag.stream(10, 0)  # no line
