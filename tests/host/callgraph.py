"""Reads gcc's call graphs (-fcallgraph-info=su): who calls whom, and the stack of each function.

The files are in the VCG format, one node or edge a line:

    node: { title: "mempool_take" label: "mempool_take\\nfile.c:10:5\\n16 bytes (static)" }
    edge: { sourcename: "mempool_take" targetname: "search" }
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

_NODE = re.compile(r'node: \{ title: "([^"]+)" label: "([^"]*)"')
_EDGE = re.compile(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')
_STACK = re.compile(r"(\d+) bytes \(([^)]*)\)")


class CallGraph:
    def __init__(self, paths: Iterable[Path]):
        self.stack: dict[str, int] = {}
        self.dynamic: set[str] = set()
        self.calls: dict[str, set[str]] = {}
        for path in paths:
            text = path.read_text()
            for title, label in _NODE.findall(text):
                self.calls.setdefault(title, set())
                if found := _STACK.search(label):
                    self.stack[title] = int(found[1])
                    if found[2] == "dynamic":  # and not "dynamic,bounded"
                        self.dynamic.add(title)
            for source, target in _EDGE.findall(text):
                self.calls.setdefault(source, set()).add(target)

    def cycle(self) -> list[str]:
        """One chain of functions that comes back to its beginning, or nothing."""
        done: set[str] = set()
        chain: list[str] = []

        def walk(name: str) -> list[str]:
            if name in chain:
                return [*chain[chain.index(name) :], name]
            if name in done:
                return []
            chain.append(name)
            for callee in sorted(self.calls.get(name, ())):
                if found := walk(callee):
                    return found
            chain.pop()
            done.add(name)
            return []

        for name in sorted(self.calls):
            if found := walk(name):
                return found
        return []

    def depth(self, name: str) -> int:
        """Bytes of stack that a call of `name` needs at most; the graph must have no cycle."""
        below = (self.depth(callee) for callee in self.calls.get(name, ()))
        return self.stack.get(name, 0) + max(below, default=0)
