"""Each word of the core is changed by one kind of operation: mempool_port.h says which, and why.

The sources are read as text. A word is known by the last name of the expression that an operation
is given the address of, or by the function that makes that address.
"""

from __future__ import annotations

import re

import corebuild as build
import pytest

COUNTING = {"fetch_add", "fetch_and", "fetch_or", "at_least", "at_most"}
COMPARING = {"cas", "add", "add_if", "sub_if", "swap_if"}
STORING = {"store", "poke"}
KINDS = {"counted": COUNTING, "compared": COMPARING, "stored": STORING}
NAMES = "|".join(sorted(COUNTING | COMPARING | STORING))
CALL = re.compile(rf"\b(?:mempool_({NAMES})|MEMPOOL_COUNT)\(")

# What a name in the sources is in the groups of mempool_port.h.
WORDS = {
    "counted": {
        "leaf_at", "mempool_leaf", "leaf", "summary",  # bits
        "balance", "lowest", "denied", "held_by_c", "holders",
        "allocs", "deepest", "failures", "spills", "reclaimed", "held_in_all",
        "counter", "rounded", "hits", "next", "mempool_resizing",
    },
    "compared": {"middle", "state", "mempool_word", "word_at", "levels", "sequence", "busy"},
    "stored": {
        "up", "down", "next_bits", "stamp", "count", "held", "low", "low_left", "critical",
        "blocks", "handle", "what_owner_size", "ticks", "floor",
    },
}  # fmt: skip
# A name that stands for more than one word, and what is meant in this file.
LOCAL = {
    ("path.h", "word"): "compared",  # a free block's, which its taker stores
    ("path.h", "word + 1"): "stored",  # its stamp
    ("pool.c", "word"): "counted",  # a leaf
    ("pressure.c", "word"): "compared",
    ("leaks.c", "word"): "compared",
    ("grow.c", "word"): "stored",  # what one at a time writes
    ("owner.c", "(flags & MEMPOOL_PYTHON) != 0 ? held_by_python : held_by_c"): "counted",
    ("mempool_core.h", "word"): "counted",  # MEMPOOL_COUNT
}
# What is stored to although others change it otherwise: before anybody can.
BEFORE_OTHERS = {
    ("storage.c", name) for name in ("mempool_leaf", "summary", "deepest", "state", "mempool_word")
} | {
    ("path.h", "word"),  # by the taker of a free block, which all others refuse: atomic_riscv.h
    ("owner.c", "lowest"), ("owner.c", "denied"),  # of a place that is free, under the lock
    ("grow.c", "mempool_word"),  # of a block that never was
}  # fmt: skip


def arguments(text: str, at: int) -> str:
    """The first argument of the call whose bracket is open at `at`."""
    depth = 0
    for i in range(at, len(text)):
        depth += text[i] in "([{"
        depth -= text[i] in ")]}"
        if depth < 0 or (depth == 0 and text[i] == ","):
            return text[at:i].strip()
    raise AssertionError("a call that does not end")


def name_of(argument: str) -> str:
    """The last name of `&a->b.c`, `a(b)`, `&a[b]`."""
    plain = re.sub(r"^\([^()]*\*\)", "", argument).lstrip("&").strip()
    if "?" in plain or "+" in plain:
        return plain.replace("&held", "held")
    while plain.endswith((")", "]")):
        closing = plain[-1]
        depth, i = 0, len(plain) - 1
        while True:
            depth += plain[i] == closing
            depth -= plain[i] == {")": "(", "]": "["}[closing]
            if depth == 0:
                break
            i -= 1
        if i == 0:
            return name_of(plain[1:-1])
        plain = plain[:i]
    return re.split(r"->|\.", plain)[-1].strip("() ")


def changes(text: str) -> list[tuple[str, str]]:
    """(operation, word) of all changes in a source."""
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)
    found = []
    for match in CALL.finditer(text):
        if not re.search(r"(uint32_t|bool|void|#define)\s+$", text[: match.start()]):
            found.append((match[1] or "fetch_add", name_of(arguments(text, match.end()))))
    return found


def complaints(name: str, text: str) -> list[str]:
    wrong = []
    for operation, word in changes(text):
        groups = [LOCAL[name, word]] if (name, word) in LOCAL else []
        groups = groups or [group for group, words in WORDS.items() if word in words]
        if len(groups) != 1:
            wrong.append(f"{name}: mempool_{operation} of {word}, which is in no group")
        elif operation not in KINDS[groups[0]] and not (
            operation in STORING and (name, word) in BEFORE_OTHERS
        ):
            wrong.append(f"{name}: mempool_{operation} of {word}, which is {groups[0]}")
    return wrong


def sources() -> dict[str, str]:
    core = build.MODULE / "core"
    return {path.name: path.read_text() for path in sorted(core.glob("*.[ch]"))}


def test_each_word_is_changed_in_one_way():
    wrong = [line for name, text in sources().items() for line in complaints(name, text)]
    assert not wrong, "\n".join(wrong)


def test_the_lists_name_what_is_there():
    seen = {(name, word) for name, text in sources().items() for _, word in changes(text)}
    assert not set(LOCAL) - seen and not BEFORE_OTHERS - seen
    unknown = set().union(*WORDS.values()) - {word for _, word in seen}
    assert not unknown, f"no longer changed anywhere: {sorted(unknown)}"


@pytest.mark.parametrize(
    ("name", "line", "word"),
    [
        ("path.h", "mempool_fetch_add(middle, MEMPOOL_UNIT);", "middle"),
        ("pressure.c", "mempool_fetch_or(&levels, 1u);", "levels"),
        ("owner.c", "mempool_sub_if(&mempool_owners[owner].balance, 32u, &left);", "balance"),
        ("owner.c", "mempool_store(&entry->balance, 0u);", "balance"),
        ("pool.c", "mempool_cas(&pool->summary, 0u, 1u);", "summary"),
        ("block.c", "mempool_store(mempool_word(pool, index), 0u);", "mempool_word"),
        ("stats.c", "mempool_poke(&pool->allocs, 0u);", "allocs"),
    ],
)
def test_another_kind_of_change_is_seen(name, line, word):
    assert len(complaints(name, line)) == 1 and f" {word}," in complaints(name, line)[0]
