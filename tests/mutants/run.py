"""make mutants: makes small faults in the cores, one at a time, and says which no test finds.

    run.py [--count N] [--seed N] [--file NAME] [--only ID] [--list]

Mutants are drawn evenly from all files and all kinds, until `count` of them count. What was found
is kept in build/mutants/, so that a second run asks only what may have changed.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

# What a child has in memory already when it starts.
import cbor2  # noqa: F401
import cffi  # noqa: F401
import equivalent
import hypothesis.stateful  # noqa: F401
from gate import Gate
from mutate import Mutant, files, in_turn, mutants_of
from results import Found, Results
from stages import stages_of
from tree import OUTPUT, ROOT, Tree

CMODULES = ROOT / "cmodules"
COUNT, SEED = 320, 16
NOT_COUNTED = ("equal", "does not compile")

_gate: Gate | None = None  # of this process


class FailsWithout(Exception):
    """A test that fails by itself kills nothing."""


def try_one(number: int, mutant: Mutant, killer: str) -> Found:
    """All of one mutant, in a process that has a tree of its own."""
    global _gate
    if _gate is None:
        _gate = Gate(Tree(number or multiprocessing.current_process()._identity[0]))
    tree = _gate.tree
    try:
        verdict = _gate.verdict(mutant)
        if verdict != "counts":
            return Found(verdict)
        stages = stages_of(mutant.file)
        known = [stage for stage in stages if killer and stage.wants(killer)]
        for stage, only in [*((stage, killer) for stage in known), *((s, "") for s in stages)]:
            result = tree.run(stage, only)
            if result.how == "does not compile":
                return Found(result.how)
            if not result.passed:
                tree.restore(mutant)
                if not tree.passes_without(stage, result.test, alone=only != ""):
                    raise FailsWithout(f"{result.test} fails without a mutant:\n{tree.said()}")
                return Found("killed", stage.name, result.test, result.how)
        return Found("survived")
    finally:
        tree.restore(mutant)


def draw(cmodules: Path, seed: int, file: str = "") -> list[Mutant]:
    made = [
        m for name in files(cmodules) if file in ("", name) for m in mutants_of(cmodules, name)
    ]
    return in_turn(made, seed)


class Session:
    """Tries mutants on several processes, keeps what they find and says how far it is."""

    def __init__(self, jobs: int, results: Results, known: Iterable[str]):
        self.jobs, self.results, self.known = jobs, results, set(known)
        self.live = sys.stderr.isatty()
        self.begin = time.monotonic()

    def run(self, mutants: list[Mutant], count: int) -> dict[Mutant, Found]:
        """The first `count` that count, and those before them that do not."""
        found: dict[Mutant, Found] = {}
        waiting = iter(mutants)
        context = multiprocessing.get_context("fork")
        with concurrent.futures.ProcessPoolExecutor(self.jobs, mp_context=context) as pool:
            under_way: dict[concurrent.futures.Future, Mutant] = {}
            while True:
                while len(under_way) < self.jobs and self._counted(found) + len(under_way) < count:
                    mutant = self._next(waiting, found)
                    if mutant is None:
                        break
                    if mutant not in found:
                        killer = self.results.last_killer(mutant)
                        under_way[pool.submit(try_one, 0, mutant, killer)] = mutant
                if not under_way:
                    return found
                done, _ = concurrent.futures.wait(
                    under_way, return_when=concurrent.futures.FIRST_COMPLETED
                )
                for future in done:
                    mutant = under_way.pop(future)
                    found[mutant] = future.result()
                    self.results.keep(mutant, found[mutant])
                    self._progress(found, count, mutant)

    def _next(self, waiting: Iterator[Mutant], found: dict[Mutant, Found]) -> Mutant | None:
        """The next to be tried, or one whose result is known."""
        mutant = next(waiting, None)
        if mutant is not None:
            if mutant.id in self.known:
                found[mutant] = Found("equivalent")
            elif (kept := self.results.holds(mutant)) is not None:
                found[mutant] = kept
        return mutant

    @staticmethod
    def _counted(found: dict[Mutant, Found]) -> int:
        return sum(entry.verdict not in NOT_COUNTED for entry in found.values())

    def _progress(self, found: dict[Mutant, Found], count: int, last: Mutant) -> None:
        entry = found[last]
        told = f"{self._counted(found)}/{count}, {time.monotonic() - self.begin:.0f} s: "
        told += f"{last.id} {entry.verdict} {entry.test or entry.how}"
        if self.live or entry.verdict == "survived" or self._counted(found) % 20 == 0:
            self._say(told)

    def _say(self, told: str) -> None:
        if self.live:
            print(f"\r\x1b[K{told[:110]}", end="", file=sys.stderr, flush=True)
        else:
            print(told, file=sys.stderr, flush=True)


def table(found: dict[Mutant, Found]) -> str:
    """Totals a file, and a stage."""
    rows = [("", "made", "killed", "equivalent", "survived", "not counted")]
    totals: Counter[str] = Counter()
    for file in sorted({mutant.file for mutant in found}):
        verdicts = Counter(entry.verdict for mutant, entry in found.items() if mutant.file == file)
        rows.append((file, *_cells(verdicts)))
        totals += verdicts
    rows.append(("all", *_cells(totals)))
    lines = [f"{name:<36}" + "".join(f"{cell:>12}" for cell in cells) for name, *cells in rows]
    killers = Counter(entry.stage for entry in found.values() if entry.verdict == "killed")
    hangs = Counter(entry.how for entry in found.values() if entry.verdict == "killed")
    lines.append("")
    lines.append("killed by: " + ", ".join(f"{name} {n}" for name, n in killers.most_common()))
    lines.append("how: " + ", ".join(f"{name} {n}" for name, n in hangs.most_common()))
    return "\n".join(lines)


def _cells(verdicts: Counter[str]) -> tuple[str, ...]:
    aside = sum(verdicts[name] for name in NOT_COUNTED)
    made = sum(verdicts.values()) - aside
    named = [verdicts[name] for name in ("killed", "equivalent", "survived")]
    return tuple(map(str, (made, *named, aside)))


def survivors(found: dict[Mutant, Found]) -> list[Mutant]:
    return [mutant for mutant, entry in found.items() if entry.verdict == "survived"]


def number(name: str, least: int, most: int):
    def read(text: str) -> int:
        if not text.isdigit() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(
                f"{name} is a number from {least} to {most}, not {text!r}"
            )
        return int(text)

    return read


class Parser(argparse.ArgumentParser):
    def error(self, message):
        print(f"mutants: {message.split(': ', 1)[-1]}", file=sys.stderr)
        sys.exit(2)


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = Parser(description=__doc__)
    parser.add_argument("--count", type=number("COUNT", 1, 100000))
    parser.add_argument("--seed", type=number("SEED", 0, 2**32), default=SEED)
    parser.add_argument("--jobs", type=number("JOBS", 1, 64), default=os.cpu_count())
    parser.add_argument("--file", default="")
    parser.add_argument("--only", default="")
    parser.add_argument("--list", action="store_true")
    return parser.parse_args(argv)


def chosen(args: argparse.Namespace) -> list[Mutant] | str:
    """What is asked for, or what is wrong with it."""
    names = files(CMODULES)
    if args.file:
        fitting = [name for name in names if name.endswith(f"/{args.file}") or name == args.file]
        if len(fitting) != 1:
            return f"FILE={args.file} is not one of: {' '.join(names)}"
        args.file = fitting[0]
    mutants = draw(CMODULES, args.seed, args.file)
    if args.only:
        mutants = [mutant for mutant in mutants if mutant.id == args.only]
        if not mutants:
            where = f" in {args.file}" if args.file else ""
            return f"ONLY={args.only} is the id of no mutant{where}; LIST=1 prints them"
    return mutants


def main(argv: list[str] | None = None) -> int:
    args = arguments(argv)
    mutants = chosen(args)
    if isinstance(mutants, str):
        print(f"mutants: {mutants}", file=sys.stderr)
        return 2
    if args.list:
        for mutant in mutants:
            print(mutant.id, mutant.kind, mutant)
        return 0
    OUTPUT.mkdir(parents=True, exist_ok=True)
    count = args.count or (len(mutants) if args.only else COUNT)
    session = Session(args.jobs, Results(), equivalent.entries())
    try:
        found = session.run(mutants, count)
    except FailsWithout as problem:
        print(f"mutants: {problem}", file=sys.stderr)
        return 1
    if session.live:
        print("\r\x1b[K", end="", file=sys.stderr)
    print(table(found))
    left = survivors(found)
    for mutant in left:
        print(f"survived: {mutant.id} {mutant}")
    if args.only and not left:
        for mutant, entry in found.items():
            print(f"{mutant.id} {mutant}\n{entry.verdict} {entry.how} {entry.test}")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
