"""The checker's command: tests/weak/run.py [--depth N] [--only WORD] [--fault NAME] [--trace].

A line a scene, with its counts; 0 where all is well (with --fault: where the fault is found), 1
where not, 2 for a wrong argument.
"""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import sys
from pathlib import Path

import units
from faults import FAULTS, NOT_SHOWN
from scenes import SCENES, Scene

# The port headers' own lines say little in a trace: who called them does.
_WORDS = ("atomic_c11.h", "atomic_cas.h", "masked.h", "standin_riscv.h")


def _lines(unit: Path, places: list[str]) -> dict[str, str]:
    """File and line of each place of code, of the first that is not a word operation."""
    # A return address lies behind the call.
    code = [hex(int(place, 16) - 1) for place in places]
    command = ["addr2line", "-a", "-i", "-s", "-e", unit, *code]
    answer = subprocess.run(command, capture_output=True, text=True).stdout
    frames = [part.split("\n")[1:] for part in re.split(r"^0x", answer, flags=re.M)[1:]]
    names = {}
    for place, chain in zip(places, frames, strict=True):
        known = [line.split(" ")[0] for line in chain if line and not line.startswith("??")]
        shown = [line for line in known if not line.startswith(_WORDS)] or known
        if shown:
            names[place] = shown[0]
    return names


def resolve(text: str, unit: Path) -> str:
    """@0x... are places in the unit: of code, with file and line; of memory, with its symbol."""
    places = sorted(set(re.findall(r"@(0x[0-9a-f]+)", text)))
    if not places:
        return text
    names = _lines(unit, places)
    symbols = subprocess.run(["nm", "-S", "--defined-only", unit], capture_output=True, text=True)
    for entry in symbols.stdout.splitlines():
        fields = entry.split()
        if len(fields) == 4 and fields[2] in "bBdD":
            start, size = int(fields[0], 16), int(fields[1], 16)
            for place in places:
                if 0 <= int(place, 16) - start < size:
                    names[place] = f"{fields[3]}+{int(place, 16) - start}"
    return re.sub(r"@(0x[0-9a-f]+)", lambda m: names.get(m[1], m[0]), text)


def explore(
    scene: Scene, port: str = "c11", fault: units.Fault | None = None, depth: int = 1
) -> tuple[int, str]:
    """Runs one scene -> (return code, the checker's words)."""
    unit = units.unit(scene.config, port, scene.bus, fault)
    options = [*units.PORTS[port][1]]
    if depth >= 3:
        options.append("spurious=1")
    command = [units.machine(), unit, *options, "--", scene.setup, *scene.threads]
    run = subprocess.run(command, capture_output=True, text=True)
    return run.returncode, resolve(run.stdout + run.stderr, unit)


def _seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def work(depth: int) -> list[tuple[str, str]]:
    """The scenes of this depth, each with the ports whose words it's run with."""
    return [
        (name, port)
        for name, scene in SCENES.items()
        if scene.depth <= depth
        for port in units.PORTS
        if port in scene.ports or depth >= 2
    ]


def _line(title: str, good: bool, said: str, seconds: float, trace: bool) -> None:
    lines = said.splitlines()
    shown = next((line for line in lines if line.startswith(("ok", "FAIL", "TOO"))), said)
    print(f"{'  ' if good else '! '}{title:56} {seconds:7.2f} s  {shown}", flush=True)
    if trace and "FAIL" in said:
        print("\n".join(line for line in lines if line.startswith("  ")))


def run_scenes(depth: int, only: str, trace: bool) -> bool:
    good = True
    for name, port in work(depth):
        title = f"{name} ({port})"
        if only not in title:
            continue
        units.unit(SCENES[name].config, port, SCENES[name].bus)
        began = _seconds()
        code, said = explore(SCENES[name], port, depth=depth)
        good &= code == 0
        _line(title, code == 0, said, _seconds() - began, trace)
    return good


def run_fault(name: str, trace: bool) -> bool:
    """Whether the fault is found, and what of."""
    planted = FAULTS[name] if name in FAULTS else NOT_SHOWN[name][0]
    units.unit(
        SCENES[planted.scene].config, planted.port, SCENES[planted.scene].bus, planted.fault
    )
    began = _seconds()
    code, said = explore(SCENES[planted.scene], planted.port, planted.fault)
    wanted = 1 if name in FAULTS else 0
    good = code == wanted and planted.says in said
    _line(f"{name}: {planted.scene} ({planted.port})", good, said, _seconds() - began, trace)
    if name in NOT_SHOWN:
        print(f"  not shown: {NOT_SHOWN[name][1]}")
    return good


def main() -> int:
    units.machine()
    parser = argparse.ArgumentParser(prog="tests/weak/run.py")
    parser.add_argument("--depth", default="1", metavar="N", help="1: CI's, 2: all, 3: and more")
    parser.add_argument(
        "--only", default="", metavar="WORD", help="scenes whose name or port has it"
    )
    parser.add_argument(
        "--fault", metavar="NAME", help="plants a fault, or 'all', and looks for it"
    )
    parser.add_argument("--trace", action="store_true", help="prints every step of what failed")
    arguments = parser.parse_args()
    if arguments.depth not in {"1", "2", "3"}:
        print(f"--depth is {arguments.depth}, and must be 1 to 3", file=sys.stderr)
        return 2
    faults = [*FAULTS, *NOT_SHOWN]
    if arguments.fault is not None:
        if arguments.fault != "all" and arguments.fault not in faults:
            print(
                f"no fault is named {arguments.fault}; there are: {', '.join(faults)}",
                file=sys.stderr,
            )
            return 2
        chosen = faults if arguments.fault == "all" else [arguments.fault]
        return 0 if all([run_fault(name, arguments.trace) for name in chosen]) else 1
    if not any(arguments.only in f"{name} ({port})" for name, port in work(int(arguments.depth))):
        print(
            f"no scene of depth {arguments.depth} has '{arguments.only}' in its name",
            file=sys.stderr,
        )
        return 2
    return 0 if run_scenes(int(arguments.depth), arguments.only, arguments.trace) else 1


if __name__ == "__main__":
    sys.exit(main())
