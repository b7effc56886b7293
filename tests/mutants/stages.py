"""What a mutant has to get past: the tests of the cores, those that cost least first.

Within a stage the tests run in the order of the files, and those with few words of memory first.
Left out are tests that measure the time of day, since a busy computer is no kill.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("cmodules", "tests/host", "tests/bus", "tests/weak")

# By the clock; by many threads for seconds; what looks at text and not at what the code does.
NEVER = r"test_waiting_ends|test_threads|test_bus_threads"
# Many thousand calls each: where nothing else has found anything.
LONG = r"test_every_generation|test_blocks_take_turns"


@dataclass(frozen=True)
class Stage:
    name: str
    files: tuple[str, ...]
    only: str = ""
    never: str = NEVER
    early: bool = False  # its tests load the cores when they are collected

    def wants(self, test: str) -> bool:
        if not test.startswith(self.files) or (self.never and re.search(self.never, test)):
            return False
        return re.search(self.only, test) is not None

    def rank(self, test: str) -> tuple[int, int]:
        """One configuration after another, so that few are built for a mutant that dies early."""
        found = re.search(r"\[([a-z-]+?)(-masked)?[\]-]", test)
        name = found.group(1) if found is not None else ""
        first = SETTINGS.index(name) if name in SETTINGS else len(SETTINGS)
        return first, [test.startswith(file.split("::")[0]) for file in self.files].index(True)


# All of one configuration before the next is built.
SETTINGS = ("all-on", "heap", "summary", "growing", "default", "pairs", "minimum", "reserve")
HOST, BUS = "tests/host/", "tests/bus/"
CONTRACT = Stage(
    "contract",
    (HOST + "test_contract.py", HOST + "test_small.py", HOST + "test_grow.py"),
    r"\[(all-on|heap|summary|growing|growing-summary|default|default-reserve|minimum|pairs)[-\]]|py::\w+$",
    f"{NEVER}|{LONG}|masked",
)
DAMAGE = Stage("damage", (HOST + "test_design.py",), "damage")
NOINIT = Stage("noinit", (HOST + "test_noinit_torn.py",))
WORDS = Stage("words", (HOST + "test_words.py",))
HART = Stage("hart", (HOST + "test_hart.py",))
MODEL = Stage(
    "model",
    (HOST + "test_model.py",),
    r"\[(model-growing-poison|model-heap|model-minimum|model-reserve)\]",
)
BUS_CONTRACT = Stage(
    "bus contract",
    (
        BUS + "test_bus_contract.py",
        BUS + "test_source.py",
        BUS + "test_waiting.py",
        BUS + "test_doorbell.py",
    ),
)
TOPICS = Stage("bus topics", (BUS + "test_topics.py",))
BUS_MODEL = Stage(
    "bus model", (BUS + "test_bus_model.py",), r"\[(bus-tiny|bus-reserve|bus-spill)\]|py::\w+$"
)
CBOR = Stage("cbor", (BUS + "test_cbor_refused.py", BUS + "test_cbor_writer.py"), early=True)
CBOR_VALUES = Stage("cbor values", (BUS + "test_cbor_values.py",), early=True)
# A whole call in the middle of each: last, for what nothing else has found.
MEETS = Stage("meets", (HOST + "test_meets.py", HOST + "test_meets_rare.py"))
BUS_MEETS = Stage("bus meets", (BUS + "test_bus_meets.py",))
MASKED = Stage("masked", (HOST + "test_contract.py", HOST + "test_grow.py"), r"masked\]")

# Chips that count no trailing zeros search by a table, which is built only with masked words.
MASKED_QUICK = Stage(
    "masked, quick",
    (HOST + "test_contract.py", HOST + "test_small.py"),
    r"\[all-on-masked\]",
    LONG,
)

POOLS = (CONTRACT, MASKED_QUICK, MODEL)

# Where an order of steps may be wrong, and not only what they do: the scenes that a file is about,
# of the checker of weak memory or, in its absence, of the one that interleaves.
WEAK = "tests/weak/test_weak.py"
TAKES = "two takes, two blocks|double give(?! )|give, take, give|edges up and down(?! )|leaf"
SUMMED = "summary: (one|a take)"
SCENES = {
    "path.h": f"{TAKES}|{SUMMED}",
    "pool.c": TAKES,
    "mempool_core.h": f"{TAKES}|growing: (shrinks, )?meets statistics(?! )",
    "atomic_c11.h": TAKES,
    "block.c": "guessed handle meets give and|read meets|adopt meets a give",
    "grow.c": "growing: (shrinks, )?meets (statistics|give and take)|growing slowly: meets takes",
    "leaks.c": "leaks me",
    "owner.c": "quota",
    "pressure.c": "edges up and down|edges meet|levels",
    "stats.c": "statistics",
}
WEAK_SCENES = {
    "owner.c": "quota|(info|open|close|unowned) meets",
    "storage.c": "init meets",
    "trace.c": "trace meets",
    "poison.c": "poison",
    "task.c": "bus: (unsub|both)",
    "topics.c": "bus: topics",
    "subscribe.c": "bus: .*sub",
    "publish.c": "bus: init",
    "queue.c": "bus: (two|kept|clear|publish|one)",
}

CAS_ORDERS = Stage("orders, cas", (WEAK,), r"test_scene\[.*-cas\]")


def checker(name: str) -> tuple[Stage, ...]:
    """The scenes of a file, none where it has none."""
    weak = (ROOT / WEAK).exists()
    words = (WEAK_SCENES.get(name) if weak else None) or SCENES.get(name)
    if words is None:
        return ()
    test = WEAK if weak else HOST + "test_interleave.py"
    return (Stage(f"orders, {name}", (test,), rf"test_(scene|every_order)\[.*({words})"),)


def stages_of(file: str) -> tuple[Stage, ...]:
    """What a mutant of this file meets, in this order."""
    name = file.rsplit("/", 1)[1]
    if name.startswith("cbor_"):
        return (CBOR, CBOR_VALUES)
    if name == "atomic_riscv.h":
        return (WORDS, HART)
    if name == "atomic_cas.h":
        return (WORDS, CAS_ORDERS)
    if file.startswith("eventbus/"):
        first = (TOPICS,) if name == "topics.c" else ()
        return (*first, BUS_CONTRACT, BUS_MODEL, *checker(name), BUS_MEETS)
    if "/port/" in file:
        return (WORDS, MASKED) if name == "masked.h" else (WORDS, *checker(name))
    if name == "check.c":
        return (DAMAGE, *POOLS, MEETS)
    if name == "noinit.c":
        return (NOINIT, CONTRACT)
    return (*POOLS, *checker(name), MEETS)
