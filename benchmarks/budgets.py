"""The budgets of the pools, and what a measurement must say to stay within them. The bus has
its own in bus_budgets.py."""

from __future__ import annotations

from dataclasses import dataclass

# Which variants a budget is for: the atomic ones, on rv32imac.
ALL, MINIMUM = "all", "minimum"


@dataclass(frozen=True)
class Budget:
    """One operation: the most instructions it may take, at any fill of any class."""

    operation: str  # as the image names it
    says: str
    spec: str
    limits: dict[str, int]  # variant -> instructions


BUDGETS = (
    Budget("take", "take", "< 100 cycles", {ALL: 88, MINIMUM: 59}),
    Budget("give", "give", "< 50 cycles", {ALL: 43, MINIMUM: 32}),
    Budget("stats", "stats of all five pools", "< 200 cycles", {ALL: 186, MINIMUM: 160}),
    Budget("give_refused", "refused give (stale, foreign, double)", "-", {ALL: 38, MINIMUM: 30}),
    Budget("take_empty", "take from an empty pool", "-", {ALL: 40, MINIMUM: 30}),
)

# Measured in the same run and shown, without a budget.
OTHERS = {
    "take_edge": "take that crosses a pressure edge and rings",
    "give_edge": "give that crosses a pressure edge and rings",
    "take_denied": "take beyond a quota",
    "take_size": "take of size 0 or above 512",
    "take_critical": "critical take, the reserve included",
    "take_critical_edge": "critical take that crosses an edge and rings",
    "data": "data: handle to pointer",
    "alloc": "alloc: pointer to a block",
    "free": "free: by pointer",
    "pool_stats": "stats of one pool",
}

POOLS = ("TINY", "SMALL", "MEDIUM", "LARGE", "XLARGE")


@dataclass(frozen=True)
class Summary:
    """The costs of an operation in instructions, and where the worst was seen first."""

    least: int
    median: int
    worst: int
    times: int
    pool: str
    fill: int
    phase: str


def summary(bins: list[dict]) -> Summary:
    times = sum(bin["times"] for bin in bins)
    seen = 0
    median = 0
    for bin in bins:  # by cost, ascending
        seen += bin["times"]
        if 2 * seen >= times:
            median = bin["cost"]
            break
    last = bins[-1]
    place = (POOLS[last["pool"]], last["fill"], last["phase"])
    return Summary(bins[0]["cost"], median, last["cost"], times, *place)


def summaries(result: dict) -> dict[str, Summary]:
    return {name: summary(bins) for name, bins in result["operations"].items()}


def broken(
    results: dict[str, dict], budgets: tuple[Budget, ...] = BUDGETS, fill: str = "blocks used"
) -> list[str]:
    """A line for each budget that is not kept: operation, figure, budget."""
    lines = []
    for budget in budgets:
        for variant, limit in budget.limits.items():
            costs = summaries(results[variant]).get(budget.operation)
            if costs is None:
                lines.append(f"{budget.operation}, {variant}: never measured")
            elif costs.worst > limit:
                lines.append(
                    f"{budget.operation}, {variant}: {costs.worst} instructions, budget {limit} "
                    f"({costs.pool} with {costs.fill} {fill}, {costs.phase})"
                )
    return lines
