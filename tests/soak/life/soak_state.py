# What goes from life to life: the plan, how far it is, and what was seen. It is kept in a file,
# as a board would keep it in flash, and written anew each simulated hour: a loss of power takes
# what came after that.
import json
import os
import sys

_MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_BAR = 20
_KEPT = ("life", "done_s", "total_s", "looks", "events", "takes", "thin")


class Broken(Exception):
    """An invariant does not hold."""


def check(holds, what, *facts):
    if not holds:
        raise Broken(what + "".join([" %r" % (fact,) for fact in facts]))


class State:
    def __init__(self, folder):
        self.folder = folder
        self._file = folder + "/state.json"
        with open(self._file) as file:
            self.data = json.load(file)

    def __getitem__(self, name):
        return self.data[name]

    def __setitem__(self, name, value):
        self.data[name] = value

    def count(self, table, name, n=1):
        counts = self.data[table]
        counts[name] = counts.get(name, 0) + n

    def save(self):
        with open(self._file + ".new", "w") as file:
            json.dump(self.data, file)
        os.rename(self._file + ".new", self._file)

    # What grows from life to life is not to be in the heap that is measured.
    def park(self):
        self.data = {name: self.data[name] for name in _KEPT}

    def unpark(self):
        counted = self.data
        with open(self._file) as file:
            self.data = json.load(file)
        self.data.update(counted)

    # ---- Progress

    def date(self):
        """The simulated date: the first day is a first of January, and no year is a leap year."""
        done = self["done_s"]
        year, day = divmod(done // 86400, 365)
        month = 0
        while day >= _MONTHS[month]:
            day -= _MONTHS[month]
            month += 1
        return "year %d, %02d-%02d %02d:00" % (year + 1, month + 1, day + 1, done // 3600 % 24)

    def show(self, heap, held, end=False):
        """One line that moves on a terminal, else a line now and then."""
        done = self["done_s"]
        line = "%s  %d events  %d resets  %d faults  GC heap %d  held %d" % (
            self.date(),
            self["events"],
            sum(self["resets"].values()),
            sum(self["faults"].values()),
            heap,
            held,
        )
        if self["bar"]:
            part = min(_BAR, done * _BAR // self["total_s"])
            bar = "#" * part + "." * (_BAR - part)
            sys.stdout.write("\r[%s] %s\x1b[K%s" % (bar, line, "\n" if end else ""))
        elif end or done >= self["next_line_s"]:
            self["next_line_s"] = done + max(86400, self["total_s"] // 24)
            print(line)
