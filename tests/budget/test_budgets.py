"""The budgets hold, the documents show the measured figures, and the check can say no."""

import copy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import budgets  # noqa: E402
import images  # noqa: E402
import marked  # noqa: E402
import size  # noqa: E402
from coreimage import ALL_ON, PRODUCTION  # noqa: E402


def run(*words):
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, timeout=300
    )


@pytest.fixture(scope="module")
def results():
    names = (budgets.ALL, budgets.MINIMUM)
    return {name: images.measure(images.VARIANTS[name]) for name in names}


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


def test_the_counter_counts_instructions(results):
    """The empty function costs its return; the two reads and the call are two more."""
    assert {result["once"]["overhead"] for result in results.values()} == {2}


def test_a_core_that_is_too_large_is_named():
    large = size.Figures("rv32imac", "production", 4097, 0, {"payload": 1000, "metadata": 61})
    lines = size.broken([large])
    assert len(lines) == 2
    assert "6.10 % of the payload, budget 6 %" in lines[0]
    assert "4097 bytes, budget 4096" in lines[1]


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
