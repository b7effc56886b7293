# appmodule.Manager: order, misuse, modules that raise or take too long, what stop gives back.
import time

import appmodule
import mempool
import micropython


def raises(error, call, *args):
    try:
        call(*args)
    except error as caught:
        return str(caught)
    raise SystemExit("no %s from %s%s" % (error.__name__, call, args))


log = []
reports = []


class Noted(appmodule.Module):
    def init(self):
        log.append("init " + self.name)

    def update(self):
        log.append("update " + self.name)

    def stop(self):
        log.append("stop " + self.name)


class Failing(Noted):
    fail_in = ""

    def _step(self, what):
        self.alloc(100)  # held when it fails
        if self.fail_in == what:
            raise RuntimeError(what)

    def init(self):
        super().init()
        self._step("init")

    def update(self):
        super().update()
        self._step("update")

    def stop(self):
        super().stop()
        self._step("stop")


def report(module, what, detail):
    if what != "overrun":  # which only the tests below provoke on purpose
        reports.append((module.name, what, detail))


def kinds():
    got = [(name, what) for name, what, _ in reports]
    reports.clear()
    return got


start = mempool.stats()

# Misuse.
assert (appmodule.CRITICAL, appmodule.HIGH, appmodule.STANDARD) == (100, 500, 2000)
assert (appmodule.LOW, appmodule.BACKGROUND) == (5000, 10000)
raises(TypeError, appmodule.Manager, 5)
manager = appmodule.Manager(report)
raises(TypeError, manager.add, "a module")
raises(TypeError, manager.add, Noted)
raises(TypeError, manager.add, Noted("x"), "soon")
raises(ValueError, manager.add, Noted("x"), 0)
raises(ValueError, manager.add, Noted("x"), -5)
raises(TypeError, manager.tick)
raises(TypeError, manager.tick, "1")
raises(ValueError, manager.tick, 0)
assert manager.modules == () and manager.tick(1000) <= 1000
assert manager.init_all() == 0 and manager.stop_all() == 0

a = manager.add(Noted("a"), appmodule.CRITICAL)
b = manager.add(Failing("b", 4096), 1000000)
c = manager.add(Noted("c"))
assert [m.name for m in manager.modules] == ["a", "b", "c"]
assert (a.budget_us, b.budget_us, c.budget_us) == (100, 1000000, 2000)
raises(ValueError, manager.add, a)
assert "named c" in raises(ValueError, manager.add, Noted("c"))
raises(ValueError, appmodule.Manager().add, a)
assert len(manager.modules) == 3

# Order.
log.clear()
manager.tick(1000000)
assert log == [], "nothing runs before init"
assert manager.init_all() == 3 and a.running and b.running and c.running
left = manager.tick(10000000)
assert 0 < left <= 10000000, left
assert manager.init_all() == 3, "again: those that run are left alone"
b.stop_count = b.owner.used
assert manager.stop_all() == b.returned == b.stop_count + 128
assert log == [
    "init a", "init b", "init c",
    "update a", "update b", "update c",
    "stop c", "stop b", "stop a",
]  # fmt: skip
assert kinds() == [("b", "returned")] and not a.running and b.owner.used == 0
assert manager.stop_all() == 0
log.clear()
manager.tick(1000)
assert log == []

# One that raises is reported; the others go on.
for what in ("init", "update", "stop"):
    log.clear()
    b.fail_in = what
    faults = b.faults
    assert manager.init_all() == (2 if what == "init" else 3)
    assert b.running == (what != "init")
    assert (b.owner.used == 0) == (what == "init"), "a failed init holds nothing"
    manager.tick(1000000)
    manager.tick(1000000)
    manager.stop_all()
    assert b.faults == faults + (2 if what == "update" else 1)
    assert log.count("update a") == log.count("update c") == 2
    assert log[-1] == "stop a" and log.count("stop c") == 1
    for name, kind, detail in reports:
        assert name == "b"
        assert kind == "returned" or (kind == what and isinstance(detail, RuntimeError))
    got = kinds()
    assert got.count(("b", what)) == (2 if what == "update" else 1)
    assert b.owner.used == 0
b.fail_in = ""


# One that takes too long: beyond its own budget, beyond the tick's.
class Slow(appmodule.Module):
    wait_ms = 0

    def update(self):
        if self.wait_ms:
            time.sleep_ms(self.wait_ms)
        self.count += 1

    def init(self):
        self.count = 0


late = []
slow_manager = appmodule.Manager(lambda module, what, us: late.append((module.name, what, us)))
slow = slow_manager.add(Slow("slow"), 10000)
after = slow_manager.add(Slow("after"), 10000000)
slow_manager.init_all()
slow_manager.tick(10000000)
late.clear()
slow.wait_ms = 30
overruns = slow.overruns
left = slow_manager.tick(10000000)
assert left <= 10000000 - 29000
assert slow.overruns == overruns + 1 and slow.worst_us >= 29000
assert late[0][:2] == ("slow", "overrun") and late[0][2] >= 29000
assert slow.count == after.count == 2
slow.budget_us = 10000000
assert slow_manager.tick(20000) < 0, "the tick's budget is over"
assert slow.overruns == overruns + 2 and after.count == 3
slow_manager.stop_all()


# A report that raises stops nobody either; what is not an Exception does pass.
class Leaving(appmodule.Module):
    def update(self):
        raise SystemExit(5)


def bad_report(module, what, detail):
    raise OSError("report")


printing = appmodule.Manager(bad_report)
d = printing.add(Failing("d", 4096), 10000000)
d.fail_in = "update"
e = printing.add(Noted("e"), 10000000)
printing.init_all()
log.clear()
printing.tick(10000000)
assert "update e" in log
leaving = printing.add(Leaving("leaving"))
printing.init_all()
try:
    printing.tick(10000000)
    raise RuntimeError("SystemExit was swallowed")
except SystemExit as error:
    assert error.args == (5,)
printing.stop_all()

# Without on_report a module that keeps failing is printed once, until it works again.
plain = appmodule.Manager()
f = plain.add(Failing("f", 4096), 10000000)
plain.init_all()
f.fail_in = "update"
plain.tick(10000000)
plain.tick(10000000)
f.fail_in = ""
plain.tick(10000000)
f.fail_in = "update"
plain.tick(10000000)
plain.stop_all()

# The steady state of tick allocates nothing.
quiet = appmodule.Manager()
for name in ("q1", "q2", "q3"):
    quiet.add(appmodule.Module(name), 10000000)
quiet.init_all()
quiet.tick(10000000)
micropython.heap_lock()
quiet.tick(10000000)
quiet.tick(10000000)
micropython.heap_unlock()
quiet.stop_all()

end = mempool.stats()
assert end.used == start.used and mempool.check() == 0 and end.refused == start.refused
print("ok")
