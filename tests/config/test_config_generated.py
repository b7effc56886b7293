"""What generate writes: the header, sdkconfig, boardcfg's data, and only what changed."""

import re
import runpy
import subprocess

import kconfig_boards
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kconfig_model import evaluate, load_kconfig, number_range, symbols, values

DEFAULTS = {
    "ENABLE": 1,
    "TINY_COUNT": 128,
    "SMALL_COUNT": 64,
    "MEDIUM_COUNT": 32,
    "LARGE_COUNT": 16,
    "XLARGE_COUNT": 8,
    "EMERGENCY_RESERVE": 0,
    "LOW_THRESHOLD": 80,
    "CRITICAL_THRESHOLD": 95,
    "STRICT_MODE": 1,
    "OWNERS": 16,
    "DIAGNOSTICS": 1,
    "GROW_BLOCKS": 0,
    "EVENT_QUEUE": 32,
    "EVENT_TOPICS": 64,
    "EVENT_SUBSCRIBERS": 32,
    "EVENT_TASK_PRIORITY": 2,
    "EVENT_TASK_STACK": 3072,
    "NOINIT_BYTES": 512,
}
NUMBERS = {
    symbol.name: number_range(symbol) for symbol in symbols(load_kconfig()) if symbol.ranges
}


def test_the_defaults_are_those_of_the_specification(at):
    assert at.generate() == 0
    assert at.header() == DEFAULTS


def test_the_ranges_are_those_of_the_specification():
    assert {name.removeprefix("MEMORY_POOL_"): bounds for name, bounds in NUMBERS.items()} == {
        "TINY_COUNT": (64, 256),
        "SMALL_COUNT": (32, 128),
        "MEDIUM_COUNT": (16, 64),
        "LARGE_COUNT": (8, 32),
        "XLARGE_COUNT": (4, 16),
        "EMERGENCY_RESERVE": (0, 8),
        "LOW_THRESHOLD": (50, 95),
        "CRITICAL_THRESHOLD": (80, 99),
        "GROW_BLOCKS": (0, 64),
        "GROW_ARENA": (1024, 65536),
        "OWNERS": (0, 31),
        "TRACE_DEPTH": (16, 1024),
        "EVENT_QUEUE": (8, 256),
        "EVENT_TOPICS": (16, 256),
        "EVENT_SUBSCRIBERS": (8, 128),
        "EVENT_TASK_PRIORITY": (2, 22),
        "EVENT_TASK_STACK": (2048, 16384),
        "NOINIT_BYTES": (0, 4096),
    }


def test_changed_values_reach_the_header(at):
    at.settings(
        "CONFIG_MEMORY_POOL_TINY_COUNT=96",
        "# CONFIG_MEMORY_POOL_STRICT_MODE is not set",
        "CONFIG_MEMORY_POOL_ALLOW_HEAP_FALLBACK=y",
        "CONFIG_MEMORY_POOL_TRACE_ALLOCATIONS=y",
        "CONFIG_MEMORY_POOL_TRACE_DEPTH=256\r",
        "CONFIG_MEMORY_POOL_TINY_COUNT=96",
    )
    assert at.generate("MEMORY_POOL_TINY_COUNT=100", "CONFIG_MEMORY_POOL_SPILL=y") == 0
    expected = DEFAULTS | {
        "TINY_COUNT": 100,
        "ALLOW_HEAP_FALLBACK": 1,
        "TRACE_ALLOCATIONS": 1,
        "TRACE_DEPTH": 256,
        "SPILL": 1,
    }
    del expected["STRICT_MODE"]
    assert at.header() == expected


def test_a_value_switched_off_twice_is_no_contradiction(at):
    at.settings("CONFIG_MEMORY_POOL_DIAGNOSTICS=n", "CONFIG_MEMORY_POOL_TRACE_ALLOCATIONS=n")
    assert at.generate() == 0
    expected = dict(DEFAULTS)
    del expected["DIAGNOSTICS"]
    assert at.header() == expected


def test_the_menu_switched_off_leaves_an_empty_header(at):
    at.settings("CONFIG_MEMORY_POOL_TINY_COUNT=96", "CONFIG_MEMORY_POOL_TRACE_ALLOCATIONS=y")
    assert at.generate("MEMORY_POOL_ENABLE=n") == 0
    assert at.header() == {}
    data = runpy.run_path(str(at.output / "frozen" / "_boardcfg_data.py"))
    assert data["BOARD"] == "TEST"
    ours = [value for name, value in data.items() if name.startswith("MEMORY_POOL_")]
    assert len(ours) == 23 and set(ours) == {0}


def test_c_reads_the_header(at):
    at.settings("CONFIG_MEMORY_POOL_OWNERS=3")
    assert at.generate() == 0
    source = at.output / "probe.c"
    source.write_text(
        '#include "sdkconfig.h"\n#include "sdkconfig.h"\n'
        "#ifdef CONFIG_MEMORY_POOL_SPILL\n#error n is absent\n#endif\n"
        '_Static_assert(CONFIG_MEMORY_POOL_OWNERS == 3 && CONFIG_MEMORY_POOL_STRICT_MODE, "");\n'
    )
    compiler = ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
    subprocess.run([*compiler, str(source)], check=True)


def test_the_same_values_give_the_same_files_and_touch_none(at, capsys):
    at.pins("buzzer,GPIO4")
    assert at.generate() == 0
    files = [path for path in at.output.rglob("*") if path.is_file()]
    assert sorted(path.name for path in files) == [
        "_boardcfg_data.py",
        "sdkconfig",
        "sdkconfig.h",
    ]
    assert capsys.readouterr().out.count("wrote ") == 3
    before = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in files}
    at.settings("# only a comment is new")
    assert at.generate() == 0
    assert capsys.readouterr().out == ""
    assert before == {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in files}
    at.pins("buzzer,GPIO5")
    assert at.generate() == 0
    assert capsys.readouterr().out == "wrote out/frozen/_boardcfg_data.py\n"
    at.settings("CONFIG_MEMORY_POOL_OWNERS=3")
    assert at.generate() == 0
    assert capsys.readouterr().out.count("wrote ") == 3


def test_no_date_and_no_path_in_what_is_generated(at):
    assert at.generate() == 0
    for path in at.output.rglob("*.*"):
        text = path.read_text()
        assert not re.search(r"20[0-9][0-9]|[0-9]:[0-9]", text)
        assert str(at.boards.parent) not in text


def test_the_generated_sdkconfig_reads_back_as_itself(at):
    at.settings("CONFIG_MEMORY_POOL_TINY_COUNT=96", "CONFIG_MEMORY_POOL_SPILL=y")
    assert at.generate() == 0
    first = (at.output / "sdkconfig").read_text()
    result = evaluate(at.board, [], settings=at.output / "sdkconfig")
    assert values(result) == values(evaluate(at.board, []))
    at.settings_path.write_text(first)
    assert at.generate() == 0
    assert at.header()["TINY_COUNT"] == 96


def fits(name: str, value: int) -> list[str]:
    """The other settings that let a value in range be right."""
    if name == "MEMORY_POOL_TRACE_DEPTH":
        return ["MEMORY_POOL_TRACE_ALLOCATIONS=y"]
    if name == "MEMORY_POOL_GROW_ARENA":
        return ["MEMORY_POOL_GROW_BLOCKS=1"]
    if name == "MEMORY_POOL_LOW_THRESHOLD":
        return ["MEMORY_POOL_CRITICAL_THRESHOLD=99"]
    if name == "MEMORY_POOL_CRITICAL_THRESHOLD":
        return ["MEMORY_POOL_LOW_THRESHOLD=50"]
    if name == "MEMORY_POOL_EMERGENCY_RESERVE":
        return ["MEMORY_POOL_LARGE_COUNT=16", "MEMORY_POOL_XLARGE_COUNT=16"]
    return []


@st.composite
def a_number_in_range(draw):
    name = draw(st.sampled_from(sorted(NUMBERS)))
    low, high = NUMBERS[name]
    if name == "MEMORY_POOL_TRACE_DEPTH":
        return name, 1 << draw(st.integers(4, 10))
    return name, draw(st.integers(low, high))


@st.composite
def a_number_out_of_range(draw):
    name = draw(st.sampled_from(sorted(NUMBERS)))
    low, high = NUMBERS[name]
    return name, draw(st.one_of(st.integers(max_value=low - 1), st.integers(min_value=high + 1)))


MANY = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@MANY
@given(chosen=a_number_in_range())
def test_any_value_in_range_lands_in_the_header(at, chosen):
    name, value = chosen
    at.settings(f"CONFIG_{name}={value}")
    assert at.generate(*fits(name, value)) == 0
    assert at.header()[name.removeprefix("MEMORY_POOL_")] == value


@MANY
@given(chosen=a_number_out_of_range())
def test_any_value_out_of_range_is_refused(at, capfd, chosen):
    name, value = chosen
    low, high = NUMBERS[name]
    at.settings(f"CONFIG_{name}={value}")
    capfd.readouterr()
    assert at.generate(*fits(name, value)) == 1
    assert capfd.readouterr().err == (
        f"boards/TEST/sdkconfig.board:1: CONFIG_{name}={value} is out of range: {low} to {high}\n"
    )


@MANY
@given(chosen=st.dictionaries(st.sampled_from(sorted(NUMBERS)), st.integers(0, 1100)))
def test_what_is_accepted_holds_and_keeps_the_rules(at, chosen):
    """Whatever is assigned together: refused, or true to the number in the result."""
    at.settings(*[f"CONFIG_{name}={value}" for name, value in chosen.items()])
    try:
        result = values(evaluate(at.board, []))
    except kconfig_boards.ConfigError:
        return
    assert {name: result[name] for name in chosen} == chosen
    assert result["MEMORY_POOL_LOW_THRESHOLD"] < result["MEMORY_POOL_CRITICAL_THRESHOLD"]
    for pool in ("TINY", "SMALL", "MEDIUM", "LARGE", "XLARGE"):
        count = result[f"MEMORY_POOL_{pool}_COUNT"]
        assert result["MEMORY_POOL_EMERGENCY_RESERVE"] <= count // 2
