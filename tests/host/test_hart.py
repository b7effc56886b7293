"""atomic_riscv.h, as compiled, on a hart whose reservation outlives traps, AMOs and plain stores.

A scene is two calls. The first is stopped before each of its accesses to memory, the second runs
from there and is stopped before each of its own, or not at all; then the first goes on to its end,
then the second. Afterwards every word says the same as what the calls answered.
"""

from __future__ import annotations

import dataclasses
import functools
import shutil
import subprocess
from pathlib import Path

import corebuild as build
import hart
import pytest

COUNTS = (2, 2, 1, 1, 1)
MINIMUM = build.Config("hart-minimum", counts=COUNTS, owners=0, diagnostics=False)
FULL = build.Config("hart-full", counts=COUNTS, owners=2)
TRACED = dataclasses.replace(FULL, name="hart-traced", trace=2)
PYTHON, EXHAUSTED, QUOTA, STALE = 4, -1, -3, -4
COMMAND = (
    "riscv64-unknown-elf-gcc -std=gnu11 -march=rv32ima -mabi=ilp32 -O2 -ffreestanding"
    " -nostartfiles --specs=picolibc.specs -Wall -Wextra -Werror -Wl,-e,_start,--no-gc-sections"
).split()


@functools.cache
def program(config: build.Config, port: Path | None = None) -> tuple[list[int], dict[str, int]]:
    """Memory and symbols of the core for the hart."""
    if shutil.which(COMMAND[0]) is None:
        pytest.fail("riscv64-unknown-elf-gcc is missing: apt-get install gcc-riscv64-unknown-elf")
    folder = build.OUTPUT / config.name if port is None else port.parent
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sdkconfig.h").write_text(config.header())
    output = folder / "hart.elf"
    includes = [folder, *([port] if port else []), *build.INCLUDES]
    layout = {"flash": hart.BASE, "flash_size": 0x20000, "ram": 0x30000, "ram_size": 0x40000}
    where = [f"-Wl,--defsym=__{name}={value:#x}" for name, value in layout.items()]
    sources = [build.HERE / "hart_program.c", *build.core_sources()]
    command = [*COMMAND, *where, *(f"-I{path}" for path in includes), *map(str, sources)]
    run = subprocess.run([*command, "-o", str(output)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    table = subprocess.run(["riscv64-unknown-elf-nm", str(output)],
                           capture_output=True, text=True, check=True).stdout  # fmt: skip
    rows = [line.split() for line in table.splitlines()]
    return hart.load(output), {row[2]: int(row[0], 16) for row in rows if len(row) == 3}


# A call: function, arguments. "h0" is the first handle that the set-up got, and so on; "name" the
# address of a string; owner 1 is open with a quota of one block of 32 bytes more than the set-up
# has, owner 2 without a limit.
TAKE, TAKE_MORE = ("mempool_take", 20, 0), ("mempool_take", 30, 0)
GIVE, GIVE_OTHER = ("mempool_give", "h0"), ("mempool_give", "h1")
TAKE_FLAGS, GIVE_FLAGS = ("mempool_take_flags", 20, 0, 0), ("mempool_give_flags", "h0", 0)
TAKE_OWNED, TAKE_FREELY = ("mempool_take", 20, 1), ("mempool_take", 20, 2)
ADOPT = ("mempool_adopt", "h0", 0)
PYTHONS = ("mempool_take_flags", 1, 0, PYTHON)
ALL = (MINIMUM, FULL)
SCENES = {
    "take meets take": (ALL, [], TAKE, TAKE_MORE),
    "take meets take, one block": (ALL, [TAKE], TAKE, TAKE_MORE),
    "give meets take": (ALL, [TAKE], GIVE, TAKE_MORE),
    "give meets take, no block": (ALL, [TAKE, TAKE_MORE], GIVE, TAKE),
    "take meets give": (ALL, [TAKE], TAKE_MORE, GIVE),
    "give meets give": (ALL, [TAKE, TAKE_MORE], GIVE, GIVE_OTHER),
    "give meets the same give": (ALL, [TAKE], GIVE, GIVE),
    "take meets a stale give": (ALL, [TAKE, TAKE_MORE, GIVE], TAKE, GIVE),
    "a stale give meets take": (ALL, [TAKE, TAKE_MORE, GIVE], GIVE, TAKE),
    "a stale give meets give": (ALL, [TAKE, TAKE_MORE, GIVE], GIVE, GIVE_OTHER),
    "take meets a stale adopt": (ALL, [TAKE, TAKE_MORE, GIVE], TAKE, ADOPT),
    "adopt meets give": (ALL, [PYTHONS], ADOPT, GIVE),
    "give meets adopt": (ALL, [PYTHONS], GIVE, ADOPT),
    "adopt meets take": ((FULL,), [PYTHONS], ADOPT, TAKE),
    "owners: take meets take": ((FULL,), [], TAKE_OWNED, TAKE_OWNED),
    "owners: give meets take": ((FULL,), [TAKE_OWNED], GIVE, TAKE_OWNED),
    "owners: take meets give": ((FULL,), [TAKE_OWNED], TAKE_FREELY, GIVE),
    "owners: statistics anew meet take": ((FULL,), [TAKE], ("mempool_reset_stats",), TAKE_OWNED),
    "levels: take meets take": ((MINIMUM,), [], TAKE_FLAGS, TAKE_FLAGS),
    "levels: give meets take": ((MINIMUM,), [TAKE_FLAGS], GIVE_FLAGS, TAKE_FLAGS),
    "levels: take meets give": (ALL, [TAKE_FLAGS], TAKE_FLAGS, GIVE_FLAGS),
    "levels: give meets take, no block": ((FULL,), [TAKE_FLAGS] * 2, GIVE_FLAGS, TAKE_FLAGS),
    "levels: take meets give, no block": ((MINIMUM,), [TAKE_FLAGS] * 2, TAKE_FLAGS, GIVE_FLAGS),
    "levels: give meets give": (
        ALL, [TAKE_FLAGS] * 2, GIVE_FLAGS, ("mempool_give_flags", "h1", 0),
    ),
    "trace: take meets give": ((TRACED,), [TAKE], TAKE_MORE, GIVE),
}  # fmt: skip
# The second calls are made by an interrupt, one after another, each to its end.
INTERRUPTS = {
    "an interrupt takes more than there is": (ALL, [TAKE], GIVE, [TAKE, TAKE]),
    "an interrupt gives twice": (ALL, [TAKE], GIVE, [GIVE, GIVE]),
    "an interrupt gives, takes and gives": (ALL, [TAKE], GIVE, [GIVE, TAKE, GIVE]),
    "an interrupt adopts and gives": ((FULL,), [PYTHONS], ADOPT, [ADOPT, GIVE, ADOPT]),
    "an interrupt moves the level": (
        ALL, [TAKE_FLAGS], GIVE_FLAGS, [TAKE_FLAGS, TAKE_FLAGS, ("mempool_pressure_look_at", 0)],
    ),
}  # fmt: skip


class Machine:
    """The pools of one configuration on a hart, and what the calls so far say of them."""

    def __init__(self, config: build.Config, port: Path | None = None, trap_drops: bool = False):
        memory, self.symbols = program(config, port)
        self.config = config
        self.hart = hart.Hart(memory[:], trap_drops)
        self.handles: list[int] = []
        self.call("mempool_init")
        if config.owners:
            for name, quota in ((0x41, 32), (0x42, 0)):
                at = hart.STACKS + 16 * name
                self.hart.memory[(at - hart.BASE) // 4] = name
                assert self.call("mempool_owner_open", at, 1, quota, 0) == name - 0x40
        self.state, self.leaf = self.call("hart_state", 0), self.call("hart_leaf", 0)

    def task(self, call: tuple, stack: int) -> hart.Task:
        name, *arguments = call
        values = [self.handles[int(a[1:])] if isinstance(a, str) else a for a in arguments]
        return hart.Task(self.symbols[name], stack, tuple(values))

    def call(self, *call) -> int:
        return self.hart.finish(self.task(call, 0))

    def judge(self, then: hart.Hart, done: list[tuple[tuple, int]]) -> str:
        """What is wrong after these calls with these answers; "" where nothing is."""
        live = dict(self.live)
        for call, answer in done:
            if "give" in call[0] and answer == 0:
                if live.pop(self.handles[int(call[1][1:])], None) is None:
                    return "two gives of one handle are obeyed"
        for call, answer in done:
            if "take" in call[0] and answer > 0:
                if answer in live:
                    return "two takes got one block"
                live[answer] = call[2]
        used = {handle & 1023 for handle in live}
        if len(used) != len(live):
            return "two handles of one block"
        state, bits = then.word(self.state), then.word(self.leaf)
        if state >> 20 != COUNTS[0] - len(live) or bits != 3 & ~sum(1 << i for i in used):
            return f"{len(live)} blocks are held: state {state >> 20}, leaf {bits:02b}"
        self.hart = then
        for handle in live:
            if self.call("mempool_inspect", handle, hart.STACKS) != 0:
                return f"the word of {handle:#x}, which is held, has moved on"
        for owner in range(self.config.owners and 3):
            held = 32 * sum(of == owner for of in live.values())
            if self.call("hart_used", owner) != held:
                return f"owner {owner} has {held} bytes, and not {self.call('hart_used', owner)}"
        if all(call[0].endswith("_flags") for call, _ in done):
            level = self.call("mempool_pressure_level", 0)
            if level != (2 if len(live) == COUNTS[0] else 0):
                return f"{len(live)} of {COUNTS[0]} blocks are held: level {level}"
        return "check() is not 0" if self.checks and self.call("mempool_check") else ""

    def prepare(self, setup: list[tuple]) -> None:
        self.live, self.checks = {}, False
        for call in setup:
            answer = self.call(*call)
            if "take" in call[0]:
                assert answer > 0
                self.handles.append(answer)
                self.live[answer] = call[2]
            else:
                assert answer == 0
                del self.live[self.handles[int(call[1][1:])]]

    def interrupt(self, setup: list[tuple], first: tuple, others: list[tuple]) -> tuple[int, str]:
        """-> places that were tried, and what went wrong at the first that did."""
        self.prepare(setup)
        a, outer, places = self.task(first, 0), self.hart.copy(), 0
        while outer.to_switch(a):
            a_too, then = a.copy(), outer.copy()
            then.trap()
            done = [(call, then.finish(self.task(call, 1))) for call in others]
            then.trap()
            done.append((first, then.finish(a_too)))
            places += 1
            if fault := self.judge(then, done):
                return places, f"{a.pc:#x}: {fault}, answers {done}"
        return places, ""

    def run(self, setup: list[tuple], first: tuple, second: tuple) -> tuple[int, int, str]:
        """-> pairs of switches, how many of them went wrong, the first of those."""
        self.prepare(setup)
        start, pairs, wrong, told = self.hart, 0, 0, ""
        a, outer = self.task(first, 0), start.copy()
        while outer.to_switch(a):
            b, inner = self.task(second, 1), outer.copy()
            inner.trap()
            while not b.done:
                inner.to_switch(b)  # to its end at last, as an interrupt does
                a_too, b_too, then = a.copy(), b.copy(), inner.copy()
                then.trap()
                answer = then.finish(a_too)
                then.trap()
                done = [(first, answer), (second, then.finish(b_too))]
                pairs += 1
                self.checks = pairs % 40 == 1 and not wrong
                if fault := self.judge(then, done):
                    wrong += 1
                    told = told or f"{a.pc:#x} and {b.pc:#x}: {fault}, answers {done}"
        return pairs, wrong, told


CASES = [(name, config) for name, scene in SCENES.items() for config in scene[0]]


@pytest.mark.parametrize(("name", "config"), CASES, ids=[f"{n}-{c.name}" for n, c in CASES])
def test_every_pair_of_switches(name, config):
    pairs, wrong, told = Machine(config).run(*SCENES[name][1:])
    assert wrong == 0, f"{wrong} of {pairs} pairs of switches: {told}"
    assert pairs > 20


INTERRUPT_CASES = [(name, config) for name, scene in INTERRUPTS.items() for config in scene[0]]


@pytest.mark.parametrize(
    ("name", "config"), INTERRUPT_CASES, ids=[f"{n}-{c.name}" for n, c in INTERRUPT_CASES]
)
def test_every_place_of_an_interrupt(name, config):
    places, told = Machine(config).interrupt(*INTERRUPTS[name][1:])
    assert told == ""
    assert places > 3


def planted(folder: Path, old: str, new: str) -> Path:
    """The port, with `new` in place of `old` in atomic_riscv.h."""
    port = folder / "port"
    shutil.copytree(build.MODULE / "port", port)
    header = port / "atomic_riscv.h"
    text = header.read_text()
    assert old in text
    header.write_text(text.replace(old, new))
    return port


HEAD = "MEMPOOL_PORT_INLINE uint32_t {}(mempool_word_t *w, uint32_t v, int *zero) {{\n"
END = "#endif // MEMPOOL_ATOMIC_RISCV_H"


def test_an_amo_beside_a_reservation_is_found(tmp_path):
    port = planted(tmp_path, HEAD.format("mempool_add"), HEAD.format("not_used"))
    header = port / "atomic_riscv.h"
    body = "    *zero = 0;\n    return mempool_fetch_add(w, v) + v;\n}\n"
    text = header.read_text().replace(END, HEAD.format("mempool_add") + body + END)
    header.write_text(text)
    scene = SCENES["give meets take"][1:]
    pairs, wrong, told = Machine(MINIMUM, port).run(*scene)
    assert 0 < wrong < pairs and "blocks are held" in told
    # Where a trap drops the reservation it does no harm.
    assert Machine(MINIMUM, port, trap_drops=True).run(*scene)[1] == 0


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("an interrupt takes more than there is", "    MEMPOOL_PUT_BACK(w, value);\n"),
        ("an interrupt gives twice", "    MEMPOOL_END_RESERVATION();\n"),
    ],
)
def test_a_reservation_that_is_left_behind_is_found(tmp_path, name, end):
    port = planted(tmp_path, end, "")
    assert Machine(MINIMUM, port).interrupt(*INTERRUPTS[name][1:])[1] != ""


def test_a_word_that_one_call_changes_twice_is_found(tmp_path):
    port = planted(tmp_path, "#define MEMPOOL_PORT_IN_ORDER 1", "")
    _, wrong, told = Machine(MINIMUM, port).run(*SCENES["levels: give meets take"][1:])
    assert wrong > 0 and "blocks are held" in told


def test_a_refused_change_that_stores_what_it_loaded_is_found(tmp_path):
    head = "#define MEMPOOL_END_RESERVATION()"
    back = ' __asm__ volatile("sc.w zero, %0, (%1)" : : "r"(value), "r"(w) : "memory");\n'
    port = planted(tmp_path, head, head + back + "#define NOT_USED()")
    _, wrong, told = Machine(MINIMUM, port).run(*SCENES["take meets a stale give"][1:])
    assert wrong > 0 and "has moved on" in told
