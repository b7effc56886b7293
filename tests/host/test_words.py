"""Each port's word operations, on the machine that they are for: on RV32 that is QEMU's."""

from __future__ import annotations

import subprocess

import corebuild as build
import crossbuild
import pytest

SOURCE = build.HERE / "words.c"
RUNS = "all right\n"


@pytest.mark.parametrize("port", ["C11", "CAS", "MASKED"])
def test_on_this_computer(port):
    program = build.compile_into(
        f"words-{port}", build.DEFAULT, [SOURCE], ["-O2", f"-DWORDS_{port}"]
    )
    run = subprocess.run([str(program)], capture_output=True, text=True, timeout=60)
    assert (run.stdout, run.returncode) == (RUNS, 0)


PROBE = """
#include "mempool_port.h"
unsigned data;
mempool_word_t word;
void store(void) { data = 1; mempool_store(&word, 1u); data = 2; }
unsigned load(void) { unsigned a = data; (void)mempool_load(&word); return a ^ data; }
"""


@pytest.mark.parametrize("port", ["C11", "MASKED"])
def test_the_compiler_moves_nothing_past_a_word(port, tmp_path):
    """Plain data before a store is there when the word is; behind a load it is read anew."""
    probe = tmp_path / "probe.c"
    probe.write_text(PROBE)
    (tmp_path / "sdkconfig.h").write_text(build.DEFAULT.header())
    masked = ["-DMEMPOOL_PORT_MASKED=1"] if port == "MASKED" else []
    done = subprocess.run(
        ["gcc", "-std=gnu11", "-O2", "-S", "-o", "-", f"-I{tmp_path}", *masked,
         *(f"-I{path}" for path in build.INCLUDES), str(probe)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    code = {
        name: done.stdout.split(f"\n{name}:")[1].split(".cfi_endproc")[0]
        for name in ("store", "load")
    }
    assert code["store"].count("data(%rip)") == 2, code["store"]
    assert code["load"].count("data(%rip)") == 2, code["load"]


def test_on_a_risc_v_hart(tmp_path):
    command, _ = crossbuild.TARGETS["rv32"]
    program = tmp_path / "words.elf"
    # RAM of the `virt` machine, of which this needs little.
    places = {"__flash": 0x80000000, "__flash_size": 0x100000, "__ram": 0x80100000,
              "__ram_size": 0x100000, "__stack_size": 0x1000}  # fmt: skip
    subprocess.run(
        [*command, "-std=gnu11", "-O2", "-DWORDS_RISCV", "--oslib=semihost",
         "--crt0=semihost",
         *(f"-I{path}" for path in build.INCLUDES), str(SOURCE), "-o", str(program),
         *(f"-Wl,--defsym={name}={place:#x}" for name, place in places.items())],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    run = subprocess.run(
        ["qemu-system-riscv32", "-machine", "virt", "-cpu", "rv32", "-bios", "none",
         "-display", "none", "-monitor", "none", "-semihosting-config", "enable=on",
         "-serial", "none", "-kernel", str(program)],
        capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    # What a program prints by semihosting, QEMU writes to its stderr.
    assert (run.stderr.replace("\r", ""), run.returncode) == (RUNS, 0)
