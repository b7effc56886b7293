#!/usr/bin/env python3
"""Measures the pools and the bus on an emulated RISC-V, instruction by instruction, and shows the
figures.

    run.py                 the figures, on the terminal
    run.py --check         fails where a budget is not kept, or README.md shows other figures
    run.py --json          every cost that was seen, how often, and where first
    run.py --markdown      writes the tables in README.md and docs/budgets.md
    run.py --quick         only the variants that have budgets, for work on the core

Nothing is measured again that has not changed (--fresh does it all the same).
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import budgets
import bus_budgets
import bus_tables
import images  # tools/ is on the path from here on
import tables
from coreimage import RV32, BuildError, flags_text
from marked import MarkerError, part, update

README = images.ROOT / "README.md"
DOCUMENT = images.ROOT / "docs" / "budgets.md"
PART = "bench"
BUS_PART = "bus"


def tool_versions() -> dict[str, str]:
    return {
        "gcc": RV32.version(),
        "qemu": images.emulator_version(),
        "flags": flags_text(),
    }


def measured(names: list[str], small: bool, fresh: bool) -> dict[str, dict]:
    """Results by variant, two at a time. Says on stderr what it is at."""
    variants = images.VARIANTS | images.BUS_VARIANTS
    if any(variants[name].image == "pools" for name in names):
        images.pools_harness()  # shared by all of them

    def one(name: str) -> dict:
        variant = variants[name]
        says = variant.says + (", for size" if small else "")
        print(f"bench: {says}", file=sys.stderr, flush=True)
        return images.measure(variant, small, fresh)

    with ThreadPoolExecutor(2) as workers:
        return dict(zip(names, workers.map(one, names), strict=True))


def outdated(path: Path, name: str, content: str, tools: dict[str, str]) -> list[str]:
    """What a document shows that is not what was measured; other compilers count differently."""
    shown = part(path, name)
    made_with = re.search(r"-gcc (\S+),", shown)
    if made_with and made_with[1] != tools["gcc"]:
        print(f"{path.name}: made with gcc {made_with[1]}, so not compared", file=sys.stderr)
        return []
    if shown.split() == content.split():
        return []
    return [f"{path.name}: its figures are not current, run benchmarks/run.py --markdown"]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    for name in ("check", "json", "markdown", "quick", "fresh"):
        parser.add_argument(f"--{name}", action="store_true")
    args = parser.parse_args(argv)
    try:
        images.need_tools()
        tools = tool_versions()
        quick = ["all", "minimum", "bus", "bus-minimum", "bus-locks"]
        names = quick if args.quick else list(images.VARIANTS | images.BUS_VARIANTS)
        results = measured(names, False, args.fresh)
        problems = budgets.broken(results) + bus_budgets.broken(results)
        if args.json:
            print(json.dumps(results, indent=1))
        elif args.quick:
            print("\n".join(tables.quick(results, ("all", "minimum"))))
            print("\n" + bus_tables.quick(results))
        else:
            print(tables.terminal(results, tools))
            print("\n" + bus_tables.terminal(results))
        if args.markdown or (args.check and not args.quick):
            small = measured(["all", "minimum"], True, args.fresh)
            for path, name, content in (
                (README, PART, tables.readme(results, tools)),
                (DOCUMENT, PART, tables.document(results, tools, small)),
                (README, BUS_PART, bus_tables.readme(results, tools)),
                (DOCUMENT, BUS_PART, bus_tables.document(results, tools)),
            ):
                if args.markdown:
                    update(path, name, content)
                else:
                    problems += outdated(path, name, content, tools)
    except (BuildError, MarkerError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    for problem in problems:
        print(f"bench: {problem}", file=sys.stderr)
    return 1 if args.check and problems else 0


if __name__ == "__main__":
    sys.exit(main())
