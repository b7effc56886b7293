"""The budgets of the event bus: what publishing and delivering an event of 8 bytes may cost, and
that publishing costs the same whatever is subscribed."""

from __future__ import annotations

import budgets
from budgets import Budget

ALL, MINIMUM = "bus", "bus-minimum"

BUDGETS = (
    Budget("publish_isr", "publish_from_isr", "-", {ALL: 1260, MINIMUM: 1210}),
    Budget("publish_name", "publish by name, topic of 26 bytes", "-", {ALL: 2160, MINIMUM: 2110}),
    Budget(
        "publish_evict",
        "publish_from_isr, full queue: one makes way",
        "-",
        {ALL: 2050, MINIMUM: 1990},
    ),
    Budget("publish_spill", "critical, its class exhausted", "-", {ALL: 1370, MINIMUM: 1235}),
    Budget(
        "deliver", "a turn of the task: one event, one subscriber", "-", {ALL: 985, MINIMUM: 985}
    ),
    Budget("idle", "a turn with nothing to deliver", "-", {ALL: 120, MINIMUM: 120}),
)

# Instructions that each further subscriber of an event may cost the task.
SUBSCRIBER = 160

# Instructions with interrupts masked: in the way of publishing and delivering, and anywhere.
LOCKS = "bus-locks"
LOCKED = {"eventbus_send": 920, "eventbus_next": 100, "eventbus_next_callee": 485}
LOCKED_ANYWHERE = 1300

# Measured in the same run and shown, without a budget.
OTHERS = {
    "deliver_all": "a turn of the task: one event, all subscribers",
    "publish_edge": "publish_from_isr that crosses a pressure edge and rings",
    "deliver_edge": "a turn of the task that crosses a pressure edge and rings",
    "publish_python": "publish_from_isr to Python, or to Python and C",
    "publish_unwanted": "publish_from_isr to nobody",
    "publish_full": "publish_from_isr refused: queue full",
    "publish_exhausted": "publish_from_isr refused: no block",
    "publish_malformed": "publish_from_isr refused: no CBOR",
    "publish_name_long": "publish by name, topic of 63 bytes",
    "publish_new_topic": "publish of a new topic",
    "publish_topics_full": "publish of a new topic refused: table full",
}


def slope(result: dict) -> float:
    """Instructions of the task for each further subscriber of an event."""
    all_match = [row for row in result["growth"] if row[1] == row[2]]
    one = min(row[5] for row in all_match if row[1] == 1)
    return max((row[5] - one) / (row[1] - 1) for row in all_match if row[1] > 1)


def grown(result: dict, variant: str) -> list[str]:
    """A line for each publish that costs other than with one topic and one subscription, and one
    where a subscriber more costs too much."""
    lines = []
    first = result["growth"][0]
    for topics, subscriptions, matching, *costs in result["growth"]:
        for at, name in ((0, "publish_isr"), (1, "publish_name")):
            if costs[at] != first[3 + at]:
                lines.append(
                    f"{name}, {variant}: {costs[at]} instructions with {topics} topics and "
                    f"{subscriptions} subscriptions ({matching} match), {first[3 + at]} with one"
                )
    if slope(result) > SUBSCRIBER:
        lines.append(
            f"deliver, {variant}: {slope(result):.1f} instructions each further subscriber, "
            f"budget {SUBSCRIBER}"
        )
    return lines


def locked_long(result: dict) -> list[str]:
    """A line for each function that masks interrupts for longer than it may."""
    lines = [f"{name}: never seen to mask interrupts" for name in LOCKED.keys() - result["locked"]]
    for name, cost in result["locked"].items():
        limit = LOCKED.get(name, LOCKED_ANYWHERE)
        if cost > limit:
            lines.append(f"{name}: interrupts masked for {cost} instructions, budget {limit}")
    return lines


def broken(results: dict[str, dict]) -> list[str]:
    """A line for each budget that is not kept."""
    lines = budgets.broken(results, BUDGETS, "events waiting")
    for variant in (ALL, MINIMUM):
        lines += grown(results[variant], variant)
    return lines + locked_long(results[LOCKS])
