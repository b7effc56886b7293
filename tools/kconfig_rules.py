"""The rules between symbols that a Kconfig range cannot express.

Each rule gets the evaluated values and answers None or what is wrong: the symbol at fault, what
the sentence says about it, and the symbols it depends on. mempool_config.h asserts the same rules
for builds that this tool does not see (IDF's own menuconfig).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

PREFIX = "MEMORY_POOL_"
POOLS = ("TINY", "SMALL", "MEDIUM", "LARGE", "XLARGE")

Values = dict[str, int]


@dataclass(frozen=True)
class Broken:
    """One broken rule: `symbol` is at fault unless only `other` was assigned by the user."""

    symbol: str
    says: str
    other: str = ""
    other_says: str = ""


def _critical_above_low(values: Values) -> Broken | None:
    low, critical = PREFIX + "LOW_THRESHOLD", PREFIX + "CRITICAL_THRESHOLD"
    if values[critical] > values[low]:
        return None
    return Broken(
        critical,
        f"must be above CONFIG_{low}={values[low]}: {max(80, values[low] + 1)} to 99",
        low,
        f"must be below CONFIG_{critical}={values[critical]}:"
        f" 50 to {min(95, values[critical] - 1)}",
    )


def _reserve_at_most_half(values: Values) -> Broken | None:
    reserve = PREFIX + "EMERGENCY_RESERVE"
    smallest = min(POOLS, key=lambda pool: values[f"{PREFIX}{pool}_COUNT"])
    count = f"{PREFIX}{smallest}_COUNT"
    if values[reserve] * 2 <= values[count]:
        return None
    return Broken(
        reserve,
        f"is above half of the pool {smallest} (CONFIG_{count}={values[count]}):"
        f" 0 to {values[count] // 2}",
        count,
        f"is less than twice CONFIG_{reserve}={values[reserve]}, which every pool keeps:"
        f" {values[reserve] * 2} or more",
    )


def _trace_depth_is_power_of_two(values: Values) -> Broken | None:
    depth = PREFIX + "TRACE_DEPTH"
    if depth not in values or values[depth] & (values[depth] - 1) == 0:
        return None
    return Broken(depth, "is not a power of two: 16, 32, 64, 128, 256, 512 or 1024")


RULES: tuple[Callable[[Values], Broken | None], ...] = (
    _critical_above_low,
    _reserve_at_most_half,
    _trace_depth_is_power_of_two,
)


def broken_rules(values: Values) -> Iterator[Broken]:
    """The rules that these values break; none where the pools are switched off."""
    if values.get(PREFIX + "ENABLE"):
        for rule in RULES:
            broken = rule(values)
            if broken:
                yield broken
