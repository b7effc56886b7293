"""The scenes: which threads do what, on which configuration of the core, with which ports' words.

A scene's scripts are explained in ops.c and bus.c. `depth` says from which depth on it's run: 1 is
CI's, 2 and more what `make proof` asks for.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from units import PORTS, Config

# Class 0 has two blocks, class 1 three, and the others one. Half of a class in use is LOW.
CORE = Config("core", counts=(2, 3, 1, 1, 1), low=50, owners=0, diagnostics=False)
FULL = dataclasses.replace(CORE, name="full", low=80, owners=2, diagnostics=True)
RESERVED = Config("reserved", counts=(2, 3, 2, 2, 2), reserve=1, owners=1)
LEAVES = dataclasses.replace(CORE, name="leaves", counts=(33, 1, 1, 1, 1))
TURNING = dataclasses.replace(LEAVES, name="turning", diagnostics=True)
SUMMARY = dataclasses.replace(CORE, name="summary", counts=(129, 1, 1, 1, 1))
SUMMARY_TURNING = dataclasses.replace(SUMMARY, name="summary-turning", diagnostics=True)
TRACED = Config("traced", counts=(1, 2, 1, 1, 1), owners=0, trace=2, poison=True)
GROWING = Config("growing", counts=(1, 3, 1, 1, 1), owners=1, grow=2, arena=1024)
GROWING_CORE = dataclasses.replace(CORE, name="growing-core", grow=2, arena=1024)
# What it grows by lies in a leaf that only the slow way knows.
GROWING_SLOWLY = dataclasses.replace(
    CORE, name="growing-slowly", counts=(32, 1, 1, 1, 1), grow=2, arena=1024
)
GROWING_SUMMARY = dataclasses.replace(SUMMARY, name="growing-summary", grow=2, arena=1024)
# As many blocks as the queue has slots, and two more: no level is reached but where it is wanted.
BUS = Config(
    "bus",
    counts=(4, 1, 1, 1, 1),
    low=90,
    owners=0,
    diagnostics=False,
    queue=2,
    topics=4,
    subscribers=4,
)


@dataclass(frozen=True)
class Scene:
    config: Config
    setup: str
    threads: tuple[str, ...]
    depth: int = 1
    ports: tuple[str, ...] = ()

    @property
    def bus(self) -> bool:
        return self.config.name.startswith("bus")


# Run with every port's words at depth 1; at depth 2 all are.
EVERYWHERE = {
    "two takes, two blocks",
    "take and give, one block",
    "give meets take",
    "give, take, give of one block",
    "take meets two gives",
    "double give",
    "double give meets the next holder",
    "double give by address",
    "a guessed handle meets take",
    "read meets give",
    "spill",
    "waiting for a block",
    "levels: take and give",
    "levels: two gives",
    "edges up and down",
    "the hook meets no hook",
    "init meets take",
    "full: take meets give",
    "full: double give",
    "statistics",
    "reset meets take",
    "leaks meet take",
    "adopt meets give and take",
    "quota for one",
    "info meets no quota",
    "unowned meets close and open",
    "close meets give",
    "init meets take, with owners",
    "summary: a take empties, a give fills",
    "growing, minimum: grows twice",
}
SCENES: dict[str, Scene] = {}


def scene(name: str, config: Config, setup: str, *threads: str, **more) -> None:
    assert name not in SCENES, name
    ports = tuple(PORTS) if name in EVERYWHERE else ("c11",)
    SCENES[name] = Scene(config, setup, threads, ports=ports, **more)


# Take and give.
scene("two takes, two blocks", CORE, "", "take:0", "take:0")
scene("three takes, two blocks", CORE, "", "take:0", "take:0", "take:0")
scene("take and give, one block", CORE, "", "take:2 give", "take:2 give")
scene("take, give, take meets take and give", CORE, "", "take:0 give take:0", "take:0 give")
scene("three take and give, two blocks", CORE, "", *["take:0 give"] * 3)
scene("give meets take", CORE, "take:2", "put:0", "take:2 give")
scene("give, take, give of one block", CORE, "take:2", "put:0 take:2 give", "take:2")
scene("take meets two gives", CORE, "take:0 take:0", "take:0", "put:0", "put:1")
scene("two takes meet a give", CORE, "take:0 take:0", "take:0", "take:0", "put:0")
scene("two rounds", CORE, "take:0", "take:0 give take:0", "put:0 take:0")
scene("four takes, two blocks", CORE, "", *["take:0"] * 4, depth=2)
scene(
    "four: two gives, two takes",
    CORE,
    "take:0 take:0",
    "put:0",
    "put:1",
    "take:0",
    "take:0",
    depth=2,
)
scene("alloc and free", CORE, "take:0", "alloc:0 free", "alloc:0 free")
scene("waiting for a block", CORE, "take:2", "wait:2 give", "put:0")

# Given back once.
scene("double give", CORE, "take:2", "race:0", "race:0")
scene("triple give", CORE, "take:2", "race:0", "race:0", "race:0")
scene("double give meets the next holder", CORE, "take:2", "race:0 take:2 give", "race:0")
scene("double give meets two holders", CORE, "take:2", "race:0 take:2", "race:0 take:2")
scene("double give meets take", CORE, "take:0 take:0", "race:0", "race:0", "take:0")
scene("double give by address", CORE, "take:0 take:0", "racefree:0", "race:0")
scene("free by address meets give and take", CORE, "take:2", "racefree:0", "race:0", "take:2")
scene("a guessed handle meets give", CORE, "take:2", "guess:0", "put:0")
scene("a guessed handle meets take", CORE, "take:2 give", "guess:0", "take:2 give")
scene("a guessed handle meets give and take", CORE, "take:2", "put:0 take:2", "guess:0")
scene("read meets give", CORE, "take:2", "read:0", "put:0 take:2")

# The same with owners and diagnostics, and what reads them.
scene("full: take and give", FULL, "", "take:0 give", "take:0 give")
scene("full: double give", FULL, "take:0", "race:0", "race:0")
scene("full: take meets give", FULL, "take:0 take:0", "take:0", "put:0")
scene("statistics", FULL, "take:0", "take:0 give", "stats:0")
scene("statistics, twice", FULL, "", "take:0 give", "stats:0 stats:0", depth=2)
scene("statistics meet take, give", FULL, "take:0", "take:0", "put:0", "stats:0")
scene("statistics of all pools", FULL, "", "take:0", "take:1", "allstats")
scene("reset meets take", FULL, "take:0", "take:0", "reset stats:0")
scene("reset meets take and give", FULL, "take:0", "take:0", "reset stats:0", "put:0")
scene("leaks meet take", FULL, "take:0", "take:0", "leaks")
scene("leaks meet give and take", FULL, "take:2", "put:0 take:2", "leaks")
scene("check meets take and give", FULL, "", "take:0 give", "check", depth=2)

# Whose a block is.
scene("adopt meets give", FULL, "take:0", "adopt:0", "race:0")
scene("adopt meets give and take", FULL, "take:2", "adopt:0", "race:0 take:2")
scene("adopt meets a give of Python", FULL, "take:0", "adopt:0", "python:0", "race:0")
scene("adopt meets adopt and statistics", FULL, "take:0", "adopt:0", "adopt:0", "stats:0")

# Spill and reserve.
scene("spill", CORE, "", "spill:2", "spill:2")
scene("spill meets give", CORE, "take:2", "spill:2", "put:0")
scene("the reserve is kept", RESERVED, "take:1", "take:1", "take:1", "critical:1")
scene("the reserve meets give", RESERVED, "take:1 take:1", "take:1", "critical:1", "put:0")

# Owners.
scene("quota for one", FULL, "open:1", "owned:0", "owned:0")
scene("quota for one, given back", FULL, "open:1 owned:0", "put:0", "owned:0", "owned:0")
scene("quota meets exhaustion", FULL, "open:2 take:0", "owned:0", "owned:0")
scene(
    "owners in three rounds",
    FULL,
    "open:1 owned:0",
    "put:0 owned:0",
    "owned:0 give",
    "take:0 give",
    depth=2,
)
scene("info meets take and give", FULL, "open:2", "owned:0 give", "info")
scene("info meets a new quota", FULL, "open:2 owned:0", "open:1", "info")
scene("info meets no quota", FULL, "open:0 owned:0", "open:1", "info")
scene("info meets close", FULL, "open:2 owned:0", "close", "info")
scene("info meets close and open", FULL, "open:2 owned:0", "close open:1", "info")
scene("info meets another owner", FULL, "open:2", "close other:1", "info")
scene("unowned meets take and give", FULL, "open:2", "owned:0 give", "unowned")
scene("unowned meets close", FULL, "open:2 owned:0", "close", "unowned")
scene("unowned meets close and open", FULL, "open:0 owned:0", "close open:2", "unowned")
scene("unowned meets a new quota", FULL, "open:0 owned:0", "open:2", "unowned")
scene("open meets open", FULL, "", "open:2", "open:2")
scene("open meets another", FULL, "", "open:2", "other:1")
scene("close meets take", FULL, "open:2", "close", "owned:0")
scene("close meets give", FULL, "open:2 owned:0", "close", "put:0")
scene("close meets give and open", FULL, "open:2 owned:0", "close", "put:0", "other:1")
scene("quota meets take and give", FULL, "open:2", "open:1", "owned:0 give")

# Leaves: two blocks are free, in different leaves.
for _name, _config, _held in (
    ("2 leaves", LEAVES, "held:31"),
    ("2 leaves, turning", TURNING, "held:31"),
    ("summary", SUMMARY, "held:127"),
    ("summary, turning", SUMMARY_TURNING, "held:127"),
):
    scene(f"{_name}: takes across the edge", _config, _held, "take:0", "take:0")
    scene(f"{_name}: all leaves are emptied", _config, _held, *["take:0"] * 3)
    scene(
        f"{_name}: takes meet gives", _config, f"{_held} take:0 take:0", "put:0", "take:0", "put:1"
    )
    scene(
        f"{_name}: a leaf fills behind",
        _config,
        f"{_held} take:0 take:0",
        "put:0 put:1",
        "take:0",
        "take:0",
    )
    scene(
        f"{_name}: emptied and filled", _config, f"{_held} take:0", "take:0 give", "put:0 take:0"
    )
    scene(
        f"{_name}: emptied, filled, emptied",
        _config,
        _held,
        *["take:0 give take:0"] * 2,
        depth=1 if _config == LEAVES else 2,
    )
    scene(
        f"{_name}: two gives to one leaf",
        _config,
        f"{_held} take:0 take:0",
        "put:0",
        "put:1",
        "take:0 take:0",
    )
    scene(f"{_name}: take and give", _config, _held, "take:0 give", "take:0 give")
scene("summary: one leaf, emptied and filled", SUMMARY, "held:128 take:0", "put:0", "take:0 give")
scene(
    "summary: a take empties, a give fills",
    SUMMARY,
    "held:126 take:0",
    "put:0",
    "take:0",
)

# Pressure: the level, the marks, the doorbell.
scene("levels: take and give", CORE, "take:0 look", "full:0", "fullput:0")
scene("levels: two gives", CORE, "take:0 take:0 look", "fullput:1", "fullput:0")
scene("levels: two takes", CORE, "", "full:0", "full:0")
scene("levels: give, take and give", CORE, "take:0 look", "fullput:0", "full:0 fullgive", depth=2)
scene("edges up", CORE, "hook", "take:1 take:1", "take:1")
scene("edges up and down", CORE, "hook take:1 take:1", "take:1 give", "put:0")
scene("edges meet a look", CORE, "hook take:1", "take:1", "take:1", "look")
scene("edges up and down meet a look", CORE, "hook take:1 take:1", "take:1", "put:0", "look")
scene("edges meet two looks", CORE, "hook take:1 take:1", "critical:1", "look look")
scene("edges down", CORE, "hook take:1 take:1 take:1", "put:0", "put:1", "put:2")
scene("level meets take and give", CORE, "take:1", "full:1", "level:1", "fullput:0", depth=2)
scene("the hook meets take", CORE, "hook", "take:0 take:0", "hook")
scene("the hook meets no hook", CORE, "hook", "take:0", "unhook")

# Before and while mempool_init runs.
scene("init meets take", CORE, "", "init", "take:2 give")
scene("init meets take and take", CORE, "", "init take:0", "take:0 take:0")
scene("init meets init", CORE, "", "init take:2", "init")
scene("init meets take, with owners", FULL, "", "init", "take:0 give")
scene("init meets take, with all on", FULL, "", "init", "take:0")
scene("init meets open", FULL, "", "init", "open:1")
scene("init meets statistics", FULL, "", "init", "stats:0 unowned")
scene("init meets a full take", CORE, "", "init", "full:0", depth=2)

# Trace and poison.
scene("trace meets takes", TRACED, "", "take:0", "take:1", "trace")
scene("trace meets take and give", TRACED, "", "take:0 give", "take:1", "trace")
scene("trace meets give and take", TRACED, "take:0", "put:0 take:0", "trace")
scene("poison: take and give", TRACED, "", "take:0 give", "take:0 give")
scene("poison: give meets take", TRACED, "take:0", "put:0", "take:0")
scene("poison: take meets two gives", TRACED, "take:1 take:1", "take:1", "put:0", "put:1")
scene("poison: double give", TRACED, "take:0", "race:0 take:0", "race:0")

# Growing and shrinking.
for _name, _config, _held in (
    ("growing", GROWING, ""),
    ("growing, minimum", GROWING_CORE, "held:1"),
    ("growing slowly", GROWING_SLOWLY, "held:31"),
    ("growing, summary", GROWING_SUMMARY, "held:128"),
):
    scene(f"{_name}: meets a take", _config, _held, "grow:1", "take:0 take:0")
    scene(f"{_name}: meets takes", _config, _held, "grow:1", "take:0", "take:0", depth=2)
    scene(f"{_name}: meets give and take", _config, f"{_held} take:0", "grow:1", "put:0", "take:0")
    grown = f"{_held} grow:1"
    full = f"{grown} take:0 take:0"
    scene(f"{_name}: shrinks, meets takes", _config, grown, "shrink", "take:0", "take:0")
    scene(f"{_name}: shrinks, meets a give", _config, full, "shrink", "put:0", "put:1")
    scene(f"{_name}: shrinks, meets a double give", _config, full, "shrink", "race:1", "race:1")
    scene(
        f"{_name}: shrinks, meets give and take",
        _config,
        full,
        "shrink",
        "put:1 take:0",
        "take:0",
        depth=2,
    )
    scene(
        f"{_name}: shrinks and grows", _config, full, "shrink grow:1", "put:1", "take:0", depth=2
    )
    scene(f"{_name}: meets statistics", _config, _held, "grow:2", "take:0 stats:0")
    scene(
        f"{_name}: shrinks, meets statistics",
        _config,
        f"{_held} grow:2",
        "shrink",
        "stats:0 take:0",
    )
    scene(
        f"{_name}: meets statistics and a take",
        _config,
        f"{_held} take:0",
        "grow:2",
        "stats:0",
        "take:0",
        depth=2,
    )
    scene(
        f"{_name}: shrinks, meets statistics and a take",
        _config,
        f"{_held} grow:2",
        "shrink",
        "stats:0",
        "take:0",
        depth=2,
    )
    scene(f"{_name}: meets an edge", _config, f"hook {_held}", "grow:1", "take:0", depth=2)
    hooked = f"hook {grown}"
    scene(f"{_name}: shrinks, meets an edge", _config, hooked, "shrink", "take:0", depth=2)
    scene(
        f"{_name}: meets an edge and a look", _config, _held, "grow:1", "take:0", "look", depth=2
    )
    scene(
        f"{_name}: shrinks, meets an edge and a look",
        _config,
        grown,
        "shrink",
        "take:0",
        "look",
        depth=2,
    )
    scene(
        f"{_name}: grows twice",
        _config,
        _held,
        "grow:1",
        "grow:1",
    )

# The bus.
scene("bus: two publish", BUS, "bus sub", "fire:2", "fire:2")
scene("bus: one block for two", BUS, "bus sub held:3", "fire:2", "fire:2", depth=2)
scene("bus: publish meets the task", BUS, "bus sub", "fire:2", "turn")
scene("bus: two publish, the task", BUS, "bus sub", "fire:2", "fire:1", "turn", depth=2)
scene("bus: publish meets full queue", BUS, "bus sub fire:3 fire:3", "fire:2", "turn")
scene(
    "bus: evicted while it is delivered", BUS, "bus sub pysub fire:3 fire:3", "fire:1", "deliver"
)
scene("bus: both lanes", BUS, "bus sub pysub fire:2", "turn", "deliver")
scene("bus: both lanes, publish", BUS, "bus sub pysub", "fire:2", "turn", "deliver", depth=2)
scene("bus: kept", BUS, "bus sub pysub fire:2", "turn", "keep release")
scene("bus: kept, cleared", BUS, "bus sub pysub fire:2", "clear", "keep release")
scene("bus: clear meets publish and the task", BUS, "bus sub fire:2", "clear", "fire:1", "turn")
scene("bus: subscribe meets publish", BUS, "bus", "sub", "fire:2", "turn")
scene("bus: subscribe meets a topic", BUS, "bus", "sub", "topic:1")
scene("bus: unsubscribe meets the task", BUS, "bus sub fire:2", "unsub", "turn")
scene("bus: unsubscribe meets publish", BUS, "bus sub", "unsub", "fire:2", "turn")
scene("bus: two subscribe", BUS, "bus sub fire:2", "sub unsub", "sub unsub")
scene("bus: topics", BUS, "bus", "topic:1", "topic:1 topic:2")
_full = "bus sub pysub fire:2"
scene("bus: reset meets publish", BUS, _full, "resetpy", "fire:1")
scene("bus: reset meets publish and the task", BUS, _full, "resetpy", "fire:1", "turn", depth=2)
scene("bus: statistics", BUS, "bus sub fire:2", "fire:2", "turn", "busstats")
scene("bus: init meets init", BUS, "", "businit", "businit")
scene("bus: init meets publish", BUS, "", "businit", "publish:2")
scene("bus: init meets subscribe", BUS, "", "sub", "sub")
