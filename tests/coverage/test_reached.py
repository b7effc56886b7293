"""Every branch of the cores is reached by a test, or listed with the reason why none can reach it.

The bindings' C needs MicroPython built in each configuration: `make coverage` has that. Here their
entries must still stand for a line of the source.
"""

from __future__ import annotations

import counters
import listed
import measure
import pytest
import runs


@pytest.fixture(scope="module")
def known():
    return listed.load()


def test_the_list_is_whole(known):
    assert list(known.problems()) == []


def test_every_branch_of_the_cores(known):
    counts, failed = measure.measure(list(runs.cores()))
    print(*measure.table(counts, known), sep="\n")
    assert not failed
    files = {file for file, _ in counts.lines}
    for module in counters.MODULES:
        sources = (counters.ROOT / "cmodules" / module / "core").glob("*.c")
        assert {str(file.relative_to(counters.ROOT)) for file in sources} <= files
    assert measure.judge(counts, known) == []


def test_what_is_missed_is_told():
    """A branch that is not reached, an entry for a line that is gone, one that has no reason."""
    file = "cmodules/mempool/core/check.c"
    line = next(n for n, text in enumerate(counters.lines_of(file)) if "attempt != 0" in text) + 1
    text = counters.lines_of(file)[line - 1].strip()
    counts = counters.Counts()
    counts.branches = {counters.Branch(file, line, n, 4): n for n in range(4)}
    entry = listed.Entry(file, "mempool_check", text, "port", "as long as it must be")
    nothing = listed.Listed({"port": "another port's"}, [])
    assert len(measure.judge(counts, nothing)) == 2  # the branch, and a reason without an entry
    whole = listed.Listed({"port": "another port's"}, [entry])
    assert measure.judge(counts, whole) == []
    entry.branches = [1]
    assert len(measure.judge(counts, whole)) == 2  # the branch, and an entry for what is reached
    entry.branches = [0]
    entry.line += "x"
    assert any("no such line" in problem for problem in measure.judge(counts, whole))
    entry.line, entry.why = text, "not tested yet"
    assert any("none of the reasons" in problem for problem in measure.judge(counts, whole))
    entry.why, entry.file = "port", "cmodules/mempool/core/none.c"
    assert any("no such file" in problem for problem in whole.problems())
