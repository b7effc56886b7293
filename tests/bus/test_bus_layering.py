"""The bus's core stands on the pools and its port alone, and its CBOR on nothing at all."""

from __future__ import annotations

import re

import busbuild
import corebuild as build
import pytest
from callgraph import CallGraph
from corelib import declarations
from crossbuild import (
    BARE,
    HEADER_COMPILERS,
    HOST_PORT,
    LIBC,
    TARGETS,
    complaints,
    forbidden_calls,
    included,
    objects,
    tool,
    undefined,
)

DEFAULT, MASKED = build.DEFAULT.variants()
CASES = [*((target, DEFAULT) for target in TARGETS), ("rv32", MASKED)]

POOLS = set(re.findall(r"\b(mempool_\w+)\(", declarations()))
# A division of 64 bits, where the compiler calls for it: the mean of the latency.
DIVISION = {"__udivdi3", "__udivmoddi4", "__aeabi_uldivmod"}
# The thread that is the bus's task on this computer, and the signal that wakes the VM.
HOST_TASK = re.compile(r"pthread_\w+|sigfillset|sigemptyset|sigaction|__libc_current_sigrtmin")
STACK_BYTES = 192  # of any CBOR function: an interrupt's stack carries it


def compiled(folder, target, config, *flags, sources=None):
    sources = busbuild.bus_sources() if sources is None else sources
    return objects(folder, target, config, *flags, sources=sources, includes=busbuild.INCLUDES)


@pytest.mark.parametrize(
    ("target", "config"), CASES, ids=lambda value: getattr(value, "name", value)
)
def test_needs_the_pools_and_the_port(tmp_path, target, config):
    paths = compiled(tmp_path, target, config, "-O2")
    foreign = undefined(target, paths) - LIBC - POOLS - DIVISION
    if target in BARE:
        foreign = {name for name in foreign if not name.startswith("eventbus_bare_")}
    else:
        foreign = {name for name in foreign - HOST_PORT if not HOST_TASK.fullmatch(name)}
    assert not foreign, f"the bus's core needs {sorted(foreign)}"


@pytest.mark.parametrize("level", ["-O2", "-Os"])
@pytest.mark.parametrize("target", TARGETS)
def test_cbor_needs_nothing(tmp_path, target, level):
    """Least of all the compiler's library for floats or for shifts of 64 bits."""
    paths = compiled(tmp_path, target, DEFAULT, level, sources=busbuild.cbor_sources())
    assert undefined(target, paths) <= {"memcpy", "memcmp", "_GLOBAL_OFFSET_TABLE_"}
    sections = tool(target, "size", "-A", *map(str, paths))
    sizes = re.findall(r"^\.(?:s?data|s?bss)\S*\s+(\d+)", sections, re.MULTILINE)
    assert not any(map(int, sizes)), "it has variables"


def test_cbor_is_small(tmp_path):
    paths = compiled(tmp_path, "rv32", DEFAULT, "-Os", sources=busbuild.cbor_sources())
    sections = tool("rv32", "size", "-A", *map(str, paths))
    sizes = re.findall(r"^\.(?:text|s?rodata)\S*\s+(\d+)", sections, re.MULTILINE)
    assert len(paths) == 2
    assert 500 < sum(map(int, sizes)) < 1800


@pytest.mark.parametrize("target", BARE)
def test_cbor_fits_an_interrupts_stack(tmp_path, target):
    sources = busbuild.cbor_sources()
    compiled(tmp_path, target, DEFAULT, "-O2", "-fcallgraph-info=su", sources=sources)
    graph = CallGraph(tmp_path.glob("*.ci"))
    public = [name for name in graph.stack if name.startswith("eventbus_cbor_")]
    assert len(public) == 16
    for name in public:
        assert graph.depth(name) <= STACK_BYTES, name


def test_no_recursion_and_a_bounded_stack(tmp_path):
    # Without inlining, so that each function stands in the graph (the port's assembly wants -O1).
    apart = ("-O1", "-fno-inline", "-fno-optimize-sibling-calls", "-fcallgraph-info=su")
    compiled(tmp_path, "rv32", DEFAULT, *apart)
    graph = CallGraph(tmp_path.glob("*.ci"))
    assert {"eventbus_publish", "eventbus_cbor_check"} <= set(graph.stack)
    assert graph.cycle() == []
    assert not graph.dynamic, f"stack of unknown size: {graph.dynamic}"


def test_includes_point_one_way():
    """The bus sees of the pools their contract and their port; the CBOR sees itself."""
    standard = {"stdbool.h", "stddef.h", "stdint.h", "string.h", "limits.h"}
    core = busbuild.MODULE / "core"
    own = {path.name for folder in busbuild.INCLUDES for path in folder.glob("*.h")}
    pools = {"mempool.h", "mempool_port.h", "sdkconfig.h"}
    files = [path for path in core.iterdir() if path.suffix in {".c", ".h"}]
    assert {path for path in files if path.suffix == ".c"} == set(busbuild.bus_sources())
    for path in files:
        assert included(path) <= standard | own | pools, path.name
    for path in (*busbuild.cbor_sources(), busbuild.CBOR_HEADER):
        assert included(path) <= standard | {"eventbus_cbor.h", "eventbus_place.h"}, path.name


def test_no_call_of_a_heap_or_printer_in_the_sources():
    for path in busbuild.bus_sources():
        assert not forbidden_calls(path), path.name


@pytest.mark.parametrize("command", HEADER_COMPILERS)
def test_the_headers_stand_alone(command):
    headers = sorted((busbuild.MODULE / "include").glob("*.h"))
    assert busbuild.CBOR_HEADER in headers
    for header in headers:
        assert complaints(command, header) == ""
