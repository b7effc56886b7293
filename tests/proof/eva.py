"""Frama-C's Eva over the cores on a machine that does one thing at a time (eva/port_sequential.h).

Each program of eva/ calls every function of some headers, in any order, with any arguments. Eva
follows all of it at once, and raises an alarm wherever it can't show that C defines what happens:
an access outside of an object, a read of what was never written, a shift too far, a division by
0, an overflow of a signed number. Each alarm is in alarms.toml with the reason why it can't come
true; the run holds that table exactly.

The geometry is one where each bit of each leaf is a block: elsewhere no bit beyond the blocks is
ever set (mempool_check counts one that is), which Eva can't follow.
"""

from __future__ import annotations

import csv
import re
import subprocess
from pathlib import Path

import cores
from cores import corebuild
from findings import Finding, hold, load

HERE = Path(__file__).parent
TABLE = HERE / "alarms.toml"
CONFIG = corebuild.Config(
    "eva", counts=(128,) * 5, reserve=2, trace=4, poison=True, owners=3, grow=0
)
# How closely it looks: what is more takes hours.
CLOSELY = {
    "cbor": ["-eva-slevel", "60", "-eva-split-return-function", "eventbus_cbor_read:0"],
    "pools": ["-eva-split-return-function", "mempool_lookup:0"],
    "topics": [],
}
OPTIONS = ["-eva-precision", "2", "-eva-split-return", "auto"]
# A word operation in its caller: an alarm in it is then the caller's.
MASKED = cores.ROOT / "cmodules" / "mempool" / "port" / "masked.h"
WORDS = re.findall(r"^MEMPOOL_PORT_INLINE \w+ (\w+)\(", MASKED.read_text(), re.MULTILINE)
INLINE = ["-inline-calls", ",".join([*WORDS, "mempool_payload_of"])]  # of the pools
# Whether an address is NULL may be asked of any; cbor_write.c sees floats as bits, NaN too.
OPTIONS += ["-eva-warn-undefined-pointer-comparison", "none", "-warn-special-float", "none"]
# name: the sources beside the program.
PROGRAMS = {
    "cbor": lambda: [path for path in cores.bus() if path.name.startswith("cbor")],
    "pools": cores.pools,
    "topics": lambda: [p for p in cores.bus() if p.stem in ("topics", "source", "cbor_write")],
}
REACHED = re.compile(r"(\d+) statements reached \(out of (\d+)\)")
OPEN = ("Unknown", "Partially proven", "Invalid", "Invalid or unreachable")


def command(name: str, report: Path) -> list[str]:
    headers = [*cores.include_flags(CONFIG), f"-I{(HERE / 'eva').relative_to(cores.ROOT)}"]
    port = (HERE / "eva" / "port_sequential.h").relative_to(cores.ROOT)
    programs = [HERE / "eva" / "any.c", HERE / "eva" / f"{name}.c"]
    files = [path.relative_to(cores.ROOT) for path in (*PROGRAMS[name](), *programs)]
    volatile = [path for path in files if path.name in ("any.c", "noinit.c")]
    return [
        *("frama-c", "-machdep", "gcc_x86_32", "-c11", "-eva", *OPTIONS),
        *CLOSELY[name],
        *(INLINE if cores.pools()[0] in PROGRAMS[name]() else ()),
        f"-cpp-extra-args=-include {port} {' '.join(headers)}",
        "-cpp-extra-args-per-file=" + ",".join(f"{path}:-DKEEP_VOLATILE" for path in volatile),
        *map(str, files),
        *("-then", "-report-csv", str(report)),
    ]


def alarms(report: Path) -> set[Finding]:
    found = set()
    with report.open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            where = cores.here(f"{row['directory']}/{row['file']}")
            # A contract of the C library is looked at where it is called.
            if row["status"] not in OPEN or not where.startswith(("cmodules/", "tests/")):
                continue
            # Eva tells copies of a name apart by a number, which any edit changes.
            kind = re.sub(r"_\d+\b", "", f"{row['property kind']}: {row['property']}")
            function = re.sub(r"_\d+$", "", row["function"])
            found.add(Finding(kind, where, int(row["line"]), function=function))
    return found


def check(log, name: str, *, step=lambda text: None) -> tuple[str, list[str]]:
    """-> the figures, and what is wrong."""
    report = cores.OUTPUT / f"eva-{name}.csv"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    step("Eva, some minutes")
    line = command(name, report)
    done = subprocess.run(line, cwd=cores.ROOT, capture_output=True, text=True)
    log.write(f"$ {' '.join(line)}\n{done.stdout}{done.stderr}\n")
    if done.returncode or not report.exists():
        raise RuntimeError(f"frama-c ended with {done.returncode}: {done.stdout[-600:]}")
    found = sorted(alarms(report), key=lambda f: (f.file, f.line, f.rule))
    entries = [entry for entry in load(TABLE, program=name)]
    reached = REACHED.search(done.stdout)
    figures = f"{len(found)} alarms, each argued" if found else "no alarm"
    if reached:
        figures += f"; {reached[1]} of {reached[2]} statements reached"
    return figures, hold(found, entries)
