"""The bus's figures as tables: for a terminal, and in Markdown for the documents."""

from __future__ import annotations

from bus_budgets import (
    ALL,
    BUDGETS,
    LOCKED,
    LOCKED_ANYWHERE,
    LOCKS,
    MINIMUM,
    OTHERS,
    SUBSCRIBER,
    slope,
)
from tables import COMMAND, markdown, plain, spread_rows, worst_rows

NAMES = (ALL, f"{ALL}-masked", MINIMUM, f"{MINIMUM}-masked")
FIRST = tuple(name for name in OTHERS if name in ("publish_python", "publish_full"))


def costs_rows(results: dict[str, dict], others: tuple[str, ...]) -> list[list[str]]:
    return worst_rows(results, others, BUDGETS, OTHERS, NAMES)


def growth_rows(result: dict) -> list[list[str]]:
    """Publish and delivery by the number of topics and of subscriptions."""
    head = ["topics, subscriptions, of which match", "from_isr", "by name", "task"]
    rows = [["instructions, worst case: " + head[0], *head[1:]]]
    for topics, subscriptions, matching, *costs in result["growth"]:
        rows.append([f"{topics}, {subscriptions}, {matching}", *map(str, costs)])
    return rows


def growth_says(result: dict) -> str:
    return (
        'An event of 8 bytes, `{"v": n}`: publishing compares no strings with subscriptions, so '
        "it costs the same whatever is subscribed; the task pays for those that match, "
        f"{slope(result):.0f} instructions each further one (budget {SUBSCRIBER})."
    )


def method(tools: dict[str, str]) -> str:
    return (
        f"Made by `{COMMAND}`: instructions of rv32imac in QEMU {tools['qemu']}, "
        f"riscv64-unknown-elf-gcc {tools['gcc']}, {tools['flags']}, as above. 128 topics and 32 "
        "subscriptions in the tables, a payload of 8 bytes, one subscriber in C that matches. The "
        "clock and the waking of the task are stubs here: on a board they cost what its timer and "
        "its interrupt cost."
    )


def readme(
    results: dict[str, dict], tools: dict[str, str], others: tuple[str, ...] = FIRST
) -> str:
    parts = [
        method(tools),
        "\n".join(markdown(costs_rows(results, others))),
        growth_says(results[ALL]),
        "\n".join(markdown(growth_rows(results[ALL]))),
    ]
    return "\n\n".join(parts)


def locked_rows(result: dict) -> list[list[str]]:
    """How long a function masks interrupts at a time, the longest first."""
    rows = [["instructions with interrupts masked, at most / budget", "all on"]]
    for name, cost in sorted(result["locked"].items(), key=lambda item: (-item[1], item[0])):
        rows.append([f"`{name}`", f"{cost} / {LOCKED.get(name, LOCKED_ANYWHERE)}"])
    return rows


def document(results: dict[str, dict], tools: dict[str, str]) -> str:
    """The same, every row, larger tables, and the places of the worst."""
    once = results[ALL]["once"]
    parts = [
        readme(results, tools, tuple(OTHERS)),
        "With larger tables (256 topics, 128 subscriptions, 64 slots):",
        "\n".join(markdown(growth_rows(results["bus-largest"]))),
        f"The check of the payload is part of it: {once['bus_check_typical']} instructions "
        f'for `{{"v": n}}`, {once["bus_check_slowest"]} for the slowest 8 bytes that were found.',
        "\n".join(markdown(locked_rows(results[LOCKS]))),
        "\n".join(markdown(spread_rows(results, (ALL, MINIMUM), BUDGETS, OTHERS, "waiting"))),
    ]
    return "\n\n".join(parts)


def terminal(results: dict[str, dict]) -> str:
    parts = [plain(costs_rows(results, tuple(OTHERS))), plain(growth_rows(results[ALL]))]
    return "\n\n".join("\n".join(part) for part in parts)


def quick(results: dict[str, dict]) -> str:
    return "\n".join(plain(spread_rows(results, (ALL, MINIMUM), BUDGETS, OTHERS, "waiting")))
