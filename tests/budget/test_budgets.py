"""The budgets hold, the documents show the measured figures, and the check can say no."""

import copy
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import PROGRAM_S

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import budgets  # noqa: E402
import bus_budgets  # noqa: E402
import images  # noqa: E402
import marked  # noqa: E402
import size  # noqa: E402
from coreimage import ALL_ON, PRODUCTION  # noqa: E402


def run(*words):
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, timeout=PROGRAM_S
    )


@pytest.fixture(scope="module")
def results():
    names = (budgets.ALL, budgets.MINIMUM)
    return {name: images.measure(images.VARIANTS[name]) for name in names}


@pytest.fixture(scope="module")
def bus_results():
    names = (bus_budgets.ALL, bus_budgets.MINIMUM, bus_budgets.LOCKS)
    return {name: images.measure(images.BUS_VARIANTS[name]) for name in names}


def test_instructions_stay_within_their_budgets_and_the_documents_are_current():
    done = run("benchmarks/run.py", "--check")
    assert done.returncode == 0, done.stderr


def test_bytes_stay_within_their_budgets_and_the_documents_are_current():
    done = run("tools/size.py", "--check")
    assert done.returncode == 0, done.stderr


def test_a_broken_budget_names_operation_figure_and_budget(results):
    slow = copy.deepcopy(results)
    slow["minimum"]["operations"]["give"][-1]["cost"] = 33
    lines = budgets.broken(slow)
    assert len(lines) == 1 + len(budgets.broken(results))
    assert any("give, minimum: 33 instructions, budget 32" in line for line in lines)


def test_an_operation_that_was_not_measured_is_no_success(results):
    lost = copy.deepcopy(results)
    del lost["all"]["operations"]["take_empty"]
    assert "take_empty, all: never measured" in budgets.broken(lost)


def test_every_fill_of_every_pool_was_measured(results):
    """The image counts what it did: at least one take and one give a fill, in each variant."""
    for name, result in results.items():
        blocks = sum(count for _size, count, _reserve in result["pools"])
        assert blocks == 248, name
        costs = budgets.summaries(result)
        for operation, least in (("take", 50), ("give", 50), ("give_refused", 4), ("stats", 1)):
            assert costs[operation].times > least * blocks, (name, operation)


def test_two_runs_count_the_same(results):
    again = images.measure(images.VARIANTS["minimum"], fresh=True)
    assert again == results["minimum"]


def test_the_counter_counts_instructions(results, bus_results):
    """The empty function costs its return; the two reads and the call are two more."""
    both = [*results.values(), *bus_results.values()]
    assert {result["once"]["overhead"] for result in both} == {2}


def test_a_broken_budget_of_the_bus_names_operation_figure_and_budget(bus_results):
    assert bus_budgets.broken(bus_results) == []
    slow = copy.deepcopy(bus_results)
    limit = bus_budgets.BUDGETS[0].limits["bus"]
    slow["bus"]["operations"]["publish_isr"][-1]["cost"] = limit + 1
    (line,) = bus_budgets.broken(slow)
    assert line.startswith(f"publish_isr, bus: {limit + 1} instructions, budget {limit}")
    assert "events waiting" in line


def test_a_publish_that_costs_more_with_more_subscriptions_is_named(bus_results):
    slow = copy.deepcopy(bus_results)
    topics, subscriptions, matching, from_isr, *_ = row = slow["bus"]["growth"][-1]
    row[3] = from_isr + 1
    (line,) = bus_budgets.broken(slow)
    assert line.startswith(f"publish_isr, bus: {from_isr + 1} instructions with {topics} topics")
    assert f"{subscriptions} subscriptions ({matching} match)" in line
    slow["bus"]["growth"][-1][3:] = [from_isr, row[4], 10000]
    (line,) = bus_budgets.broken(slow)
    assert line.startswith("deliver, bus: ") and "each further subscriber" in line


def test_interrupts_that_are_masked_too_long_are_named(bus_results):
    slow = copy.deepcopy(bus_results)
    slow["bus-locks"]["locked"]["eventbus_send"] = 5000
    (line,) = bus_budgets.broken(slow)
    assert line == "eventbus_send: interrupts masked for 5000 instructions, budget 920"
    del slow["bus-locks"]["locked"]["eventbus_send"]
    assert bus_budgets.broken(slow) == ["eventbus_send: never seen to mask interrupts"]


def test_the_bus_was_measured_where_the_documents_say(bus_results):
    """One topic and 128, one subscription and 8 and 32, of which one matches or all."""
    for name in (bus_budgets.ALL, bus_budgets.MINIMUM):
        rows = [tuple(row[:3]) for row in bus_results[name]["growth"]]
        subscriptions = ((1, 1), (8, 1), (32, 1), (8, 8), (32, 32))
        assert rows == [(topics, *pair) for topics in (1, 128) for pair in subscriptions]
        costs = budgets.summaries(bus_results[name])
        assert costs["publish_isr"].times > 4 * 126 * 12, name  # fills, twice, in six rounds
        assert costs["deliver"].times > 4 * 126 * 12, name
        assert costs["publish_evict"].times == 48, name
        assert {"publish_full", "publish_exhausted", "publish_new_topic"} <= costs.keys()


def test_two_runs_of_the_bus_count_the_same(bus_results):
    again = images.measure(images.BUS_VARIANTS["bus-minimum"], fresh=True)
    assert again == bus_results["bus-minimum"]


def test_a_core_that_is_too_large_is_named():
    large = size.Figures("rv32imac", "production", 4401, 0, {"payload": 1000, "metadata": 61})
    lines = size.broken([large])
    assert len(lines) == 2
    assert "6.10 % of the payload, budget 6 %" in lines[0]
    assert "4401 bytes, budget 4400" in lines[1]


def test_a_bus_that_is_too_large_is_named():
    limit = size.BUS_TEXT_BUDGET
    fits = size.BusFigures("rv32imac", limit, 0)
    large = size.BusFigures("rv32imac", limit + 1, 0)
    assert size.bus_broken([fits]) == []
    (line,) = size.bus_broken([large])
    assert f"{limit + 1} bytes, budget {limit}" in line


def test_the_configurations_are_what_the_tables_say(tmp_path):
    for settings, expected in ((ALL_ON, 16), (PRODUCTION, 0)):
        folder = images.configure("QEMU_RV32", settings, tmp_path / str(expected))
        header = (folder / "sdkconfig.h").read_text()
        assert f"#define CONFIG_MEMORY_POOL_OWNERS {expected}" in header
        assert ("CONFIG_MEMORY_POOL_DIAGNOSTICS 1" in header) == (expected > 0)
        assert "CONFIG_MEMORY_POOL_TRACE_ALLOCATIONS 1" not in header


def test_a_part_is_written_between_its_markers_and_nowhere_else(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- x:begin -->\nold\n<!-- x:end -->\nafter\n")
    assert marked.update(page, "x", "new")
    assert not marked.update(page, "x", "new")
    assert marked.part(page, "x") == "new"
    assert page.read_text().startswith("before\n") and page.read_text().endswith("\nafter\n")
    with pytest.raises(marked.MarkerError, match="y:begin"):
        marked.update(page, "y", "new")
