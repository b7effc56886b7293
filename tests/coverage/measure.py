"""Which branches of both cores and of the bindings' C the tests reach: `make coverage`.

Everything is built so that it counts, in build/coverage/ and build/unix-coverage*, and run. A
table is printed, a line a file; the pages are build/coverage/index.html. It ends with 1 where a
test fails, where a branch is neither reached nor in unreached.toml, or where that list says what
is not so.

    measure.py                # everything
    measure.py --part cores   # the cores alone, by the tests of tests/host and tests/bus
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterable

import counters
import listed
import runs
from counters import OUTPUT, ROOT, Counts

REPORT = OUTPUT / "index.html"
PARTS = {"all": (runs.cores, runs.bindings), "cores": (runs.cores,)}


def measure(parts: list[runs.Run], show=print) -> tuple[Counts, list[str]]:
    """Runs the parts -> what they counted, and the names of those that failed."""
    folders = {folder for part in parts for folder in part.folders}
    counters.forget(folders)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    failed = []
    for part in parts:
        show(f"coverage: {part.name} ...", flush=True)
        start = time.monotonic()
        passed, output = part.go()
        log = OUTPUT / f"{part.name.replace('/', '-').replace(' ', '-')}.log"
        log.write_text(output, encoding="utf-8")
        end = "ok" if passed else f"FAILED, see {log.relative_to(ROOT)}"
        show(f"coverage: {part.name}: {end} after {time.monotonic() - start:.0f} s", flush=True)
        failed += [] if passed else [part.name]
    # The cores' builds are one folder each, and of two configurations a line may differ.
    ran = [
        f for folder in folders for f in ([*folder.iterdir()] if folder == runs.HOST else [folder])
    ]
    return counters.collect(sorted(ran)), failed


def share(reached: int, of: int) -> str:
    return f"{reached:5}/{of:<5} {100 * reached / max(1, of):5.1f} %"


def table(counts: Counts, known: listed.Listed) -> Iterable[str]:
    """A line a file, and one for all."""
    yield f"{'':36}{'lines':>20}{'branches':>22}   listed"
    sums = [0] * 5
    for file in sorted({file for file, _ in counts.lines}):
        lines = [count for (name, _), count in counts.lines.items() if name == file]
        branches = {b: count for b, count in counts.branches.items() if b.file == file}
        missed = [branch for branch, count in branches.items() if count == 0]
        row = [
            sum(count > 0 for count in lines),
            len(lines),
            len(branches) - len(missed),
            len(branches),
            sum(known.entry_of(branch) is not None for branch in missed),
        ]
        sums = [a + b for a, b in zip(sums, row, strict=True)]
        name = file.removeprefix("cmodules/")
        yield f"{name:36}{share(*row[:2]):>20}{share(*row[2:4]):>22}{row[4] or '':>8}"
    yield f"{'together':36}{share(*sums[:2]):>20}{share(*sums[2:4]):>22}{sums[4] or '':>8}"


def report(counts: Counts, known: listed.Listed) -> None:
    """The pages, by gcovr; what is listed is shown as left out."""
    files: dict[str, dict[int, dict]] = {}
    for (file, line), count in counts.lines.items():
        lines = files.setdefault(file, {})
        lines[line] = {"line_number": line, "count": count, "branches": []}
    for branch, count in sorted(counts.branches.items()):
        entry = {"count": count, "fallthrough": False, "throw": False}
        entry["branchno"] = len(files[branch.file][branch.line]["branches"])
        if count == 0 and known.entry_of(branch):
            entry["gcovr/excluded"] = True
        files[branch.file][branch.line]["branches"].append(entry)
    merged = {
        "gcovr/format_version": "0.15",
        "files": [
            {"file": file, "lines": [lines[n] for n in sorted(lines)], "functions": []}
            for file, lines in sorted(files.items())
        ],
    }
    trace = OUTPUT / "reached.json"
    trace.write_text(json.dumps(merged), encoding="utf-8")
    command = [sys.executable, "-m", "gcovr", "--root", str(ROOT), "--add-tracefile", str(trace)]
    command += ["--html-details", str(REPORT), "--html-title", "mempool and eventbus"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        raise SystemExit(f"coverage: gcovr: {done.stderr[-2000:]}")


def judge(counts: Counts, known: listed.Listed) -> list[str]:
    """What is wrong with what was counted, and with the list."""
    wrong = [
        f"neither reached nor listed: {b}" for b in listed.unlisted(known, counts.unreached())
    ]
    return [*wrong, *known.problems(), *listed.superfluous(known, counts.branches)]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--part", default="all", help="cores: the cores alone, two minutes")
    args = parser.parse_args(argv)
    if args.part not in PARTS:
        print(f"coverage: PART={args.part} is not one of: {' '.join(PARTS)}")
        return 2
    known = listed.load()
    parts = [part for make in PARTS[args.part] for part in make()]
    counts, failed = measure(parts)
    print(*table(counts, known), sep="\n")
    report(counts, known)
    print(f"coverage: the pages are {REPORT.relative_to(ROOT)}")
    wrong = [f"coverage: {problem}" for problem in judge(counts, known)]
    wrong += [f"coverage: {name} failed" for name in failed]
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
