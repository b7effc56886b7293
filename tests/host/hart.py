"""One RISC-V hart (RV32IMA, machine mode) that keeps its reservation as long as the ISA lets it.

A store-conditional ends the reservation, and another load-reserved takes it over. A trap, its
return, an AMO and a plain store of the same hart do not (The RISC-V Instruction Set Manual,
volume I, "A" extension): so a switch of tasks between the two is seen by nobody. Real harts drop
it more often, which `trap_drops` plays.
"""

from __future__ import annotations

import functools
import struct
from pathlib import Path

RETURN = 0xDEAD0  # what a call returns to
BASE, STACKS, SIZE = 0x10000, 0x70000, 0x80000
MASK = 0xFFFFFFFF


def signed(value: int, bits: int = 32) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def load(path: Path) -> list[int]:
    """The memory of a program from BASE on, in words, as its ELF file describes it."""
    data = path.read_bytes()
    memory = bytearray(SIZE - BASE)
    offset, count = struct.unpack_from("<I", data, 28)[0], struct.unpack_from("<H", data, 44)[0]
    for i in range(count):
        kind, at, address, _, size = struct.unpack_from("<5I", data, offset + 32 * i)
        if kind == 1:
            memory[address - BASE : address - BASE + size] = data[at : at + size]
    return list(struct.unpack(f"<{len(memory) // 4}I", memory))


@functools.cache
def decode(word: int) -> tuple[int, int, int, int, int, int, int]:
    """Opcode, rd, funct3, rs1, rs2, funct7 and the immediate of its format."""
    opcode = word & 127
    immediate = signed(word) >> 20
    if opcode == 0x23:
        immediate = signed(word) >> 25 << 5 | word >> 7 & 31
    elif opcode == 0x63:
        immediate = word >> 7 & 30 | word >> 20 & 0x7E0 | word << 4 & 0x800 | word >> 19 & 0x1000
        immediate = signed(immediate, 13)
    elif opcode == 0x6F:
        immediate = word >> 20 & 0x7FE | word >> 9 & 0x800 | word & 0xFF000 | word >> 11 & 1 << 20
        immediate = signed(immediate, 21)
    elif opcode in (0x17, 0x37):
        immediate = word & 0xFFFFF000
    return opcode, word >> 7 & 31, word >> 12 & 7, word >> 15 & 31, word >> 20 & 31, (
        word >> 25
    ), immediate  # fmt: skip


AMO = {
    0: lambda old, v: old + v,
    1: lambda _, v: v,
    4: lambda old, v: old ^ v,
    8: lambda old, v: old | v,
    12: lambda old, v: old & v,
    16: lambda old, v: min(signed(old), signed(v)),
    20: lambda old, v: max(signed(old), signed(v)),
}
BRANCH = {
    0: lambda a, b: a == b,
    1: lambda a, b: a != b,
    4: lambda a, b: signed(a) < signed(b),
    5: lambda a, b: signed(a) >= signed(b),
    6: lambda a, b: a < b,
    7: lambda a, b: a >= b,
}
ARITHMETIC = {  # by funct7 and funct3
    (0, 0): lambda a, b: a + b,
    (32, 0): lambda a, b: a - b,
    (0, 1): lambda a, b: a << (b & 31),
    (0, 2): lambda a, b: int(signed(a) < signed(b)),
    (0, 3): lambda a, b: int(a < b),
    (0, 4): lambda a, b: a ^ b,
    (0, 5): lambda a, b: a >> (b & 31),
    (32, 5): lambda a, b: signed(a) >> (b & 31),
    (0, 6): lambda a, b: a | b,
    (0, 7): lambda a, b: a & b,
    (1, 0): lambda a, b: a * b,
    (1, 3): lambda a, b: a * b >> 32,
    (1, 5): lambda a, b: a // b if b else MASK,
    (1, 7): lambda a, b: a % b if b else a,
}


class Task:
    """One call of a function, on a stack of its own."""

    def __init__(self, entry: int, stack: int, arguments: tuple[int, ...] = ()):
        self.pc = entry
        self.x = [0] * 32
        self.x[1], self.x[2] = RETURN, STACKS + 0x1000 * (stack + 1)
        for i, argument in enumerate(arguments):
            self.x[10 + i] = argument & MASK

    def copy(self) -> Task:
        other = Task.__new__(Task)
        other.pc, other.x = self.pc, self.x[:]
        return other

    @property
    def done(self) -> bool:
        return self.pc == RETURN

    @property
    def result(self) -> int:
        return signed(self.x[10])


class Hart:
    def __init__(self, memory: list[int], trap_drops: bool = False):
        self.memory = memory
        self.trap_drops = trap_drops
        self.reserved: int | None = None
        self.masked = False  # interrupts

    def copy(self) -> Hart:
        other = Hart(self.memory[:], self.trap_drops)
        other.reserved, other.masked = self.reserved, self.masked
        return other

    def trap(self) -> None:
        """Another task goes on."""
        if self.trap_drops:
            self.reserved = None

    def word(self, address: int) -> int:
        return self.memory[(address - BASE) // 4]

    def touches_memory(self, task: Task) -> bool:
        return self.word(task.pc) & 127 in (0x03, 0x23, 0x2F)

    def _load(self, address: int, funct3: int) -> int:
        bits = 8 << (funct3 & 3)
        value = self.word(address) >> 8 * (address & 3) & (1 << bits) - 1
        return value if funct3 & 4 else signed(value, bits)

    def _store(self, address: int, funct3: int, value: int) -> None:
        shift, mask = 8 * (address & 3), (1 << (8 << funct3)) - 1
        at = (address - BASE) // 4
        self.memory[at] = self.memory[at] & ~(mask << shift) | (value & mask) << shift

    def _atomic(self, address: int, operation: int, value: int) -> int:
        at = (address - BASE) // 4
        old = self.memory[at]
        if operation == 2:  # lr.w
            self.reserved = address
        elif operation == 3:  # sc.w
            failed = self.reserved != address
            self.reserved = None
            if not failed:
                self.memory[at] = value
            return int(failed)
        else:
            self.memory[at] = AMO[operation](old, value) & MASK
        return old

    def step(self, task: Task) -> None:
        pc = task.pc
        opcode, rd, funct3, rs1, rs2, funct7, immediate = decode(self.word(pc))
        a, b = task.x[rs1], task.x[rs2]
        following, value = pc + 4, None
        if opcode == 0x13:
            shifted = funct3 in (1, 5)
            value = ARITHMETIC[funct7 if shifted else 0, funct3](a, immediate & MASK)
        elif opcode == 0x33:
            value = ARITHMETIC[funct7, funct3](a, b)
        elif opcode == 0x03:
            value = self._load(a + immediate & MASK, funct3)
        elif opcode == 0x23:
            self._store(a + immediate & MASK, funct3, b)
        elif opcode == 0x63:
            following = pc + immediate if BRANCH[funct3](a, b) else following
        elif opcode == 0x2F:
            value = self._atomic(a, funct7 >> 2, b)
        elif opcode in (0x17, 0x37):
            value = immediate + (pc if opcode == 0x17 else 0)
        elif opcode == 0x6F:
            value, following = following, pc + immediate
        elif opcode == 0x67:
            value, following = following, a + immediate & ~1
        elif opcode == 0x73 and immediate == 0x300 and funct3 in (2, 7):  # csrs, csrrci: mstatus
            value = 0 if self.masked else 8
            self.masked = self.masked and not a & 8 if funct3 == 2 else True
        elif opcode != 0x0F:
            raise AssertionError(f"no such instruction: {self.word(pc):08x} at {pc:#x}")
        if value is not None and rd:
            task.x[rd] = value & MASK
        task.pc = following & MASK

    def finish(self, task: Task) -> int:
        for _ in range(100_000):
            if task.done:
                return task.result
            self.step(task)
        raise AssertionError("a call that does not end")

    def to_switch(self, task: Task) -> bool:
        """Goes on to the next place where a switch matters: before an access to memory, with
        interrupts on. What touches registers alone commutes with all that others do.
        """
        self.step(task)
        while not task.done and (self.masked or not self.touches_memory(task)):
            self.step(task)
        return not task.done
