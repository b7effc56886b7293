"""The figures as tables: for a terminal, and in Markdown for the documents."""

from __future__ import annotations

from collections.abc import Iterable

from budgets import BUDGETS, OTHERS, Budget, Summary, summaries

COMMAND = "make bench"
NAMES = ("all", "all-masked", "minimum", "minimum-masked")
EDGES = ("take_edge", "give_edge")


def markdown(rows: list[list[str]]) -> list[str]:
    head, *rest = rows
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    return lines + ["| " + " | ".join(row) + " |" for row in rest]


def plain(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return [lines[0], "-" * len(lines[0]), *lines[1:]]


def _cell(costs: Summary | None, limit: int | None = None) -> str:
    if costs is None:
        return "-"
    return f"{costs.worst}" + (f" / {limit}" if limit else "")


def worst_rows(
    results: dict[str, dict],
    others: Iterable[str],
    budgets: Iterable[Budget] = BUDGETS,
    says: dict[str, str] = OTHERS,
    names: tuple[str, ...] = NAMES,
) -> list[list[str]]:
    """The worst case of each operation that has a budget, and of the others that are named."""
    costs = {name: summaries(results[name]) for name in names}
    rows = [["instructions, worst case / budget", "all on", "masked", "minimum", "masked"]]
    for budget in budgets:
        cells = [_cell(costs[n].get(budget.operation), budget.limits.get(n)) for n in names]
        rows.append([budget.says, *cells])
    for operation in others:
        if operation in costs[names[0]]:
            cells = [_cell(costs[n].get(operation)) for n in names]
            rows.append([says[operation], *cells])
    return rows


def heap_rows(result: dict) -> list[list[str]]:
    """MicroPython's heap in the run of the variant `all`."""
    costs = summaries(result)
    rows = [["GC heap (140 KB, py/gc.c), 100 bytes", "least", "median", "worst"]]
    for operation, says in (
        ("gc_alloc_empty", "allocate, heap near-empty"),
        ("gc_free_empty", "free, heap near-empty"),
        ("gc_alloc_half", "allocate, heap half full of mixed sizes"),
        ("gc_free_half", "free, heap half full of mixed sizes"),
    ):
        item = costs[operation]
        rows.append([says, *(str(n) for n in (item.least, item.median, item.worst))])
    for name, says in (
        ("gc_collect_half_full_heap", "pause of one collection, heap half full"),
        ("gc_collect_full_heap", "pause of one collection, heap full"),
    ):
        rows.append([says, "", "", f"{result['once'][name]}"])
    return rows


def spread_rows(
    results: dict[str, dict],
    names: tuple[str, ...],
    budgets: Iterable[Budget] = BUDGETS,
    says: dict[str, str] = OTHERS,
    fill: str = "used",
) -> list[list[str]]:
    """Least, median and worst, how often measured, and where the worst was seen first."""
    rows = [["operation", "least", "median", "worst", "times", "worst seen at"]]
    for name in names:
        costs = summaries(results[name])
        for operation in [budget.operation for budget in budgets] + list(says):
            if operation not in costs:
                continue
            item = costs[operation]
            numbers = (item.least, item.median, item.worst, item.times)
            place = f"{item.pool}, {item.fill} {fill}, {item.phase}"
            rows.append([f"{name}: {operation}", *map(str, numbers), place])
    return rows


def method(tools: dict[str, str]) -> str:
    return (
        f"Instructions of rv32imac, counted exactly by QEMU {tools['qemu']} with "
        f"`-icount shift=0`. riscv64-unknown-elf-gcc {tools['gcc']}, {tools['flags']}, as in the "
        "firmware (the heap `-O2`). A cost is that of the C function from its first instruction "
        "to its return; the call is the caller's."
    )


def readme(results: dict[str, dict], tools: dict[str, str], others: Iterable[str] = EDGES) -> str:
    """The part of the README: worst cases and the heap, with the command that made it."""
    return "\n".join(
        [
            f"Made by `{COMMAND}`. {method(tools)}",
            "",
            *markdown(worst_rows(results, others)),
            "",
            *markdown(heap_rows(results["all"])),
        ]
    )


def document(results: dict[str, dict], tools: dict[str, str], small: dict[str, dict]) -> str:
    """The part of docs/budgets.md: the same, and every spread with the place of its worst."""
    once = results["all"]["once"]
    slow = [["walks over all blocks (full pools, all on)", "instructions"]]
    slow += [
        [name.replace("_", " "), str(cost)]
        for name, cost in once.items()
        if not name.startswith("gc_") and name != "overhead"
    ]
    compiled = [["instructions, worst case", "all on", "all on, -Os", "minimum", "minimum, -Os"]]
    for budget in BUDGETS:
        cells = []
        for name in ("all", "minimum"):
            for group in (results, small):
                cells.append(_cell(summaries(group[name]).get(budget.operation)))
        compiled.append([budget.says, *cells])
    extras = [["instructions, worst case", "all on", "and trace", "and poison", "largest pools"]]
    for budget in BUDGETS:
        names = ("all", "trace", "poison", "largest")
        cells = [_cell(summaries(results[n]).get(budget.operation)) for n in names]
        extras.append([budget.says, *cells])
    parts = [
        readme(results, tools, OTHERS),
        "### Least, median, worst, and where",
        "\n".join(markdown(spread_rows(results, ("all", "minimum")))),
        "### What trace, poison and larger pools cost",
        "\n".join(markdown(extras)),
        "### Flags of the compiler",
        "\n".join(markdown(compiled)),
        "### Walks",
        "\n".join(markdown(slow)),
    ]
    return "\n\n".join(parts)


def quick(results: dict[str, dict], names: tuple[str, ...]) -> list[str]:
    return plain(spread_rows(results, names))


def terminal(results: dict[str, dict], tools: dict[str, str]) -> str:
    parts = [plain(worst_rows(results, OTHERS)), plain(heap_rows(results["all"]))]
    parts.append(plain(spread_rows(results, ("all", "minimum"))))
    return "\n\n".join([method(tools), *("\n".join(part) for part in parts)])
