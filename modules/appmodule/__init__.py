# A program in parts: modules with init, update and stop, each with memory of its own and a quota
# on it, and a manager that runs them and lets none of them stop the others.
import time

import mempool

# Time a module may take in one update, in microseconds, by what it does.
CRITICAL = 100
HIGH = 500
STANDARD = 2000
LOW = 5000
BACKGROUND = 10000


class Module:
    """Override init(), update() and stop(). quota: bytes of block capacity, 0 for no limit."""

    def __init__(self, name, quota=0):
        self.owner = mempool.Owner(name, quota)
        self.name = name
        self.running = False
        self.budget_us = 0
        self.worst_us = 0
        self.faults = 0
        self.overruns = 0
        self.returned = 0
        self._manager = None
        self._failing = False
        # What it holds. A slot is free when it is None or its Block was freed or handed on, so the
        # list stops growing at twice what is held at once, whatever passes through it.
        self._held = [None] * 4
        self._slot = 0
        self._blocks = []

    def init(self):
        pass

    def update(self):
        pass

    def stop(self):
        """Gives back what it still holds -> bytes. The manager does so after an override too."""
        return self.release()

    def alloc(self, size, **options):
        """A Block from its own quota; options as mempool.alloc's."""
        at = self._reserve()
        block = None
        try:
            block = self.owner.alloc(size, **options)
            return block
        finally:
            self._held[at] = block

    def struct(self, factory):
        """An instance of a mempool.Struct in a block from its own quota."""
        at = self._reserve()
        struct = None
        try:
            struct = factory(owner=self.owner)
            return struct
        finally:
            self._held[at] = struct

    def block(self):
        """An empty Block for self.owner.alloc_into: made once, filled often; back at stop."""
        block = mempool.Block()
        self._blocks.append(block)
        return block

    def release(self):
        """Gives back what it still holds -> bytes. What was detached stays its new holder's."""
        before = self.owner.used
        held = self._held
        for at in range(len(held)):
            item = held[at]
            held[at] = None
            if item and item is not True:
                item.__exit__(None, None, None)  # a Struct's layout may have a field named free
        for block in self._blocks:
            block.free()
        returned = max(0, before - self.owner.used)
        self.returned += returned
        return returned

    # A free slot, marked True before the block is taken: nothing that fails later can lose the
    # block, and what runs while alloc waits finds another slot.
    def _reserve(self):
        held = self._held
        count = len(held)
        at = self._slot
        for _ in range(count):
            at += 1
            if at >= count:
                at = 0
            if not held[at]:
                break
        else:
            at = count
            held.extend([None] * count)
        held[at] = True
        self._slot = at
        return at


class Manager:
    """Runs modules in the order they were added, and stops them in reverse.

    on_report(module, what, detail) hears of every fault: what is "init", "update" or "stop"
    (detail: the exception), "overrun" (microseconds) or "returned" (bytes still held at stop).
    None prints them, of a module that keeps failing the first.
    """

    def __init__(self, on_report=None):
        if on_report is not None and not callable(on_report):
            raise TypeError("on_report must be callable or None")
        self.on_report = on_report
        self.modules = ()

    def add(self, module, budget_us=STANDARD):
        """budget_us: of one update, CRITICAL ... BACKGROUND or any number -> the module."""
        if not isinstance(module, Module):
            raise TypeError("not an appmodule.Module: %r" % (module,))
        _positive(budget_us, "budget_us")
        if module._manager is not None:
            raise ValueError("module %s has been added already" % module.name)
        for other in self.modules:
            if other.name == module.name:
                raise ValueError("another module is named %s" % module.name)
        module.budget_us = budget_us
        module._manager = self
        self.modules += (module,)
        return module

    def init_all(self):
        """-> number of modules that run. One whose init raises is reported and left out."""
        count = 0
        for module in self.modules:
            if not module.running:
                try:
                    module.init()
                    module.running = True
                except Exception as fault:
                    module.release()
                    self._fault(module, "init", fault)
                    continue
            count += 1
        return count

    def tick(self, budget_us):
        """One update of every module -> microseconds left of budget_us, below 0 if late.

        A module beyond its own budget, or beyond budget_us, is reported. No GC allocation.
        """
        _positive(budget_us, "budget_us")
        begin = before = time.ticks_us()
        for module in self.modules:
            if not module.running:
                continue
            try:
                module.update()
                module._failing = False
            except Exception as fault:
                self._fault(module, "update", fault)
            now = time.ticks_us()
            took = time.ticks_diff(now, before)
            before = now
            if took > module.worst_us:
                module.worst_us = took
            if took > module.budget_us or took > budget_us:
                module.overruns += 1
                if self.on_report or module.overruns == 1:
                    self._report(module, "overrun", took)
        return budget_us - time.ticks_diff(before, begin)

    def stop_all(self):
        """Stops in reverse order what runs -> bytes that the modules still held and gave back."""
        total = 0
        for module in reversed(self.modules):
            if not module.running:
                continue
            module.running = False
            before = module.returned
            try:
                module.stop()
            except Exception as fault:
                self._fault(module, "stop", fault)
            finally:
                module.release()
            left = module.returned - before
            total += left
            if left:
                self._report(module, "returned", left)
        return total

    def _fault(self, module, what, fault):
        module.faults += 1
        first = not module._failing
        module._failing = True
        if self.on_report or first:
            self._report(module, what, fault)

    def _report(self, module, what, detail):
        if self.on_report is None:
            _print(module, what, detail)
            return
        try:
            self.on_report(module, what, detail)
        except Exception as fault:
            _print(module, what, detail)
            _print(module, "on_report", fault)


def _positive(value, name):
    if not isinstance(value, int):
        raise TypeError("%s must be an int" % name)
    if value < 1:
        raise ValueError("%s must be 1 or more" % name)


def _print(module, what, detail):
    if what == "overrun":
        text = "took %d us of %d" % (detail, module.budget_us)
    elif what == "returned":
        text = "gave back %d bytes at stop" % detail
    else:
        text = "%s: %s: %s" % (what, type(detail).__name__, detail)
    print("appmodule: %s: %s" % (module.name, text))
