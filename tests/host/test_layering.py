"""core/ stands alone: it compiles on four architectures, and reaches for nothing above it."""

from __future__ import annotations

import re

import corebuild as build
import pytest
from callgraph import CallGraph
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

CONFIGS = [
    c
    for c in build.CONFIGS
    if c.name.split("-masked")[0] in ("default", "all-on", "minimum", "heap")
]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: c.name)
@pytest.mark.parametrize("target", TARGETS)
def test_compiles_alone_and_needs_nothing(tmp_path, target, config):
    paths = objects(tmp_path, target, config, "-O2", "-fcallgraph-info=su")
    foreign = undefined(target, paths) - LIBC
    if target in BARE:
        # What the firmware may supply, where it has a heap at all.
        foreign = {name for name in foreign if not name.startswith("mempool_bare_heap_")}
    else:
        foreign -= HOST_PORT | ({"malloc", "free"} if config.heap else set())
    assert not foreign, f"the core needs {sorted(foreign)}"
    if target in BARE and not config.heap:
        # As it ships: an interrupt's stack must carry each of these.
        graph = CallGraph(tmp_path.glob("*.ci"))
        for name in ("take", "take_flags", "give", "give_flags", "alloc", "free", "data",
                     "handle_of", "read", "write", "stats"):  # fmt: skip
            assert 0 <= graph.depth(f"mempool_{name}") <= 192, name


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: c.name)
def test_no_recursion_and_a_bounded_stack(tmp_path, config):
    # Without inlining, so that each function stands in the graph (the port's assembly wants -O1).
    apart = ("-O1", "-fno-inline", "-fno-optimize-sibling-calls", "-fcallgraph-info=su")
    objects(tmp_path, "rv32", config, *apart)
    graph = CallGraph(tmp_path.glob("*.ci"))
    assert len(graph.calls) > 30
    assert graph.cycle() == []
    assert not graph.dynamic, f"stack of unknown size: {graph.dynamic}"


@pytest.mark.parametrize("masked", [False, True], ids=["atomic", "masked"])
def test_no_division_in_the_paths_of_interrupts(tmp_path, masked):
    config = next(c for c in CONFIGS if c.name.startswith("all-on") and c.masked == masked)
    paths = objects(tmp_path, "rv32", config, "-O2", "-fno-inline-functions-called-once")
    dividing = set()
    for path in paths:
        function = ""
        for line in tool("rv32", "objdump", "-d", str(path)).splitlines():
            if found := re.match(r"[0-9a-f]+ <([^.].*)>:", line):
                function = found[1]
            elif re.search(r"\t(div|rem)u?\t", line):
                dividing.add(function)
    assert not {name for name in dividing if "stats" not in name}, dividing


def test_atomics_are_32_bits_wide(tmp_path):
    paths = objects(tmp_path, "x86-32", build.ALL_ON, "-O2", "-march=i686")
    listing = tool("x86-32", "objdump", "-d", *map(str, paths))
    assert re.search(r"\block\b|\bxchg\b", listing), "where are the atomics?"
    assert "cmpxchg8b" not in listing


def test_includes_point_one_way():
    allowed = {"stdbool.h", "stddef.h", "stdint.h", "string.h", "limits.h", "assert.h"}
    core = build.MODULE / "core"
    own = {path.name for path in core.glob("*.h")}
    own |= {path.name for path in (build.MODULE / "port").glob("*.h")} | {"mempool.h"}
    files = [path for path in core.iterdir() if path.suffix in {".c", ".h"}]
    assert {path for path in files if path.suffix == ".c"} == set(build.core_sources())
    for path in files:
        for name in included(path):
            assert name in allowed | own | {"sdkconfig.h"}, f"{path.name} includes {name}"


def test_no_call_of_a_heap_or_printer_in_the_sources():
    for path in build.core_sources():
        assert not forbidden_calls(path), path.name


@pytest.mark.parametrize("command", HEADER_COMPILERS)
def test_the_header_stands_alone(command):
    assert complaints(command, build.MODULE / "include" / "mempool.h", "MEMPOOL_OK") == ""
