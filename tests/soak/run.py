"""make soak: years of a cold room in hours, on the unix port with a clock that is moved.

Builds the firmware of its own that this takes (build/unix-soak), lives through the time, and says
at the end what was seen. Ends with 1 where an invariant did not hold, and names it.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIFE = Path(__file__).resolve().parent / "life"
VARIANT = "soak"
CONFIG = "MEMORY_POOL_TRACE_ALLOCATIONS=y"
TARGETS = ("unix", "unix32")
HEAP = (
    "600k"  # four times what the program holds, so that the collector runs as often as on a board
)
DAY_S = 86400
YEAR_S = 365 * DAY_S
LIMITS = {"YEARS": (0.003, 100.0), "MONTHS": (0.04, 1200.0), "SEED": (1, 29999)}
# The collector is conservative: it may take one word of the stack for a pointer, and keep a small
# object with what it refers to. What leaks within a life is found there (GROWTH in soak_room.py).
HEAP_TOLERANCE = 256
ALL_WRAPS_DAYS = 28  # from here on every crossing must have been made
RSS_TOLERANCE_KB = 1024


def number(name, text, kind):
    low, high = LIMITS[name]
    try:
        value = kind(text)
        if low <= value <= high:
            return value
    except ValueError:
        pass
    what = "a whole number" if kind is int else "a number"
    print(f"soak: {name} must be {what} from {low:g} to {high:g}, not {text!r}", file=sys.stderr)
    sys.exit(2)


def seconds(years, months):
    """What YEARS= or MONTHS= ask for, in whole simulated hours."""
    if years and months:
        print("soak: give YEARS or MONTHS, not both", file=sys.stderr)
        sys.exit(2)
    if months:
        length = number("MONTHS", months, float) * YEAR_S / 12
    else:
        length = number("YEARS", years or "1", float) * YEAR_S
    return max(1, round(length / 3600)) * 3600


def build(target):
    command = ["make", "--no-print-directory", "-C", str(ROOT), "build", f"TARGET={target}"]
    command += [f"VARIANT={VARIANT}", "SOAK=1", f"CONFIG={CONFIG}"]
    hidden = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")  # of the make that runs this
    env = {key: value for key, value in os.environ.items() if key not in hidden}
    if subprocess.run(command, env=env).returncode:
        sys.exit(1)


def live(target, total_s, seed, folder, bar=False, thin=False, nudge=""):
    """Runs all lives -> (status, what they left in the state file).

    thin: the state of the five actuators is told every 5 s, not at 10 Hz, and the health check
    looks every 5 s. nudge: Python that the lives run first, for tests that want an invariant
    broken.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    start = {
        "seed": seed,
        "total_s": total_s,
        "bar": bar,
        "thin": thin,
        "nudge": nudge,
        "done_s": 0,
        "next_line_s": 0,
        "life": 0,
        "looks": 0,
        "events": 0,
        "takes": 0,
        "resets": {},
        "faults": {},
        "wraps": {},
        "last": {},
        "finished": False,
    }
    state = folder / "state.json"
    state.write_text(json.dumps(start))
    binary = ROOT / "build" / f"{target}-{VARIANT}" / "micropython"
    command = [str(binary), "-X", f"heapsize={HEAP}", str(LIFE / "soak_life.py"), str(folder)]
    env = dict(os.environ, MICROPYPATH=f"{LIFE}:.frozen")
    status = subprocess.run(command, env=env).returncode
    return status, json.loads(state.read_text())


def verdict(state):
    """What is wrong over all lives together: a line each."""
    wrong = []
    if not state["finished"]:
        return ["it ended before its time"]
    first, last = state["reference"], state["end"]
    if last["heap"] - first["heap"] > HEAP_TOLERANCE:
        wrong.append(f"GC heap in use grew from {first['heap']} to {last['heap']} bytes")
    if last["blocks"] != first["blocks"]:
        wrong.append(
            f"{first['blocks']} blocks were held at the start, {last['blocks']} at the end"
        )
    if last["rss"] - first["rss"] > RSS_TOLERANCE_KB:
        wrong.append(f"the process grew from {first['rss']} to {last['rss']} KB")
    missing = [name for name, count in state["wraps"].items() if not count]
    if missing and state["total_s"] >= ALL_WRAPS_DAYS * DAY_S:
        wrong.append("never crossed: " + ", ".join(missing))
    return wrong


def report(state, wall_s, cpu_s):
    days = state["done_s"] / DAY_S
    wraps = state["wraps"]
    first, last = state.get("reference", {}), state.get("end", {})
    table = [
        (
            "lived",
            f"{days:.1f} days, seed {state['seed']}, in {wall_s:.0f} s ({cpu_s:.0f} s of a core)",
        ),
        ("events", f"{state['events']:,}, {state['events'] / max(days, 0.01):,.0f} a day"),
        ("takes", f"{state['takes']:,}"),
        ("resets", listed(state["resets"])),
        ("faults", listed(state["faults"])),
        (
            "wraps",
            f"{sum(wraps.values()):,}, of {len(wraps)} kinds; "
            f"the rarest {min(wraps.values(), default=0)} times",
        ),
        ("looks", f"{state['looks']:,} at every invariant"),
        (
            "GC heap",
            f"{first.get('heap')} bytes in use at the start, {last.get('heap')} at the end",
        ),
        ("blocks", f"{first.get('blocks')} held at the start, {last.get('blocks')} at the end"),
        ("process", f"{first.get('rss')} KB at the start, {last.get('rss')} KB at the end"),
    ]
    for name, text in table:
        print(f"{name:8}{text}")


def listed(counts):
    return f"{sum(counts.values()):,}: " + ", ".join(
        f"{k} {v:,}" for k, v in sorted(counts.items())
    )


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", default="")
    parser.add_argument("--months", default="")
    parser.add_argument("--seed", default="")
    parser.add_argument("--target", default="unix")
    args = parser.parse_args(argv)
    total_s = seconds(args.years, args.months)
    seed = number("SEED", args.seed or "1", int)
    if args.target not in TARGETS:
        print(f"soak: TARGET must be {' or '.join(TARGETS)}, not {args.target!r}", file=sys.stderr)
        return 2
    build(args.target)
    print(
        f"A cold room, {total_s / DAY_S:.1f} days of it. Each hour every invariant is looked at."
    )
    start = time.monotonic()
    folder = ROOT / "build" / f"{args.target}-{VARIANT}" / "lives"
    try:
        status, state = live(args.target, total_s, seed, folder, sys.stdout.isatty())
    except KeyboardInterrupt:
        print(f"\nsoak: interrupted; what was seen is in {folder.relative_to(ROOT)}/state.json")
        return 130
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    report(state, time.monotonic() - start, used.ru_utime + used.ru_stime)
    wrong = verdict(state)
    if status:
        wrong.insert(0, f"life {state['life']} ended with {status}: see above")
    for line in wrong:
        print(f"soak: {line}")
    print("soak: every invariant held" if not wrong else f"soak: failed, SEED={seed}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
