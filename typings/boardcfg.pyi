"""What this firmware was built with. Written by tools/kconfig.py doc: do not edit."""

BOARD: str
MEMORY_POOL_ENABLE: bool
MEMORY_POOL_TINY_COUNT: int
MEMORY_POOL_SMALL_COUNT: int
MEMORY_POOL_MEDIUM_COUNT: int
MEMORY_POOL_LARGE_COUNT: int
MEMORY_POOL_XLARGE_COUNT: int
MEMORY_POOL_EMERGENCY_RESERVE: int
MEMORY_POOL_LOW_THRESHOLD: int
MEMORY_POOL_CRITICAL_THRESHOLD: int
MEMORY_POOL_STRICT_MODE: bool
MEMORY_POOL_ALLOW_HEAP_FALLBACK: bool
MEMORY_POOL_SPILL: bool
MEMORY_POOL_GROW_BLOCKS: int
MEMORY_POOL_GROW_ARENA: int
MEMORY_POOL_OWNERS: int
MEMORY_POOL_DIAGNOSTICS: bool
MEMORY_POOL_TRACE_ALLOCATIONS: bool
MEMORY_POOL_TRACE_DEPTH: int
MEMORY_POOL_POISON_FREED: bool
MEMORY_POOL_EVENT_QUEUE: int
MEMORY_POOL_EVENT_TOPICS: int
MEMORY_POOL_EVENT_SUBSCRIBERS: int
MEMORY_POOL_EVENT_TASK_PRIORITY: int
MEMORY_POOL_EVENT_TASK_STACK: int
MEMORY_POOL_NOINIT_BYTES: int
PINS: tuple[tuple[str, int], ...]

def items() -> list[tuple[str, int | str]]:
    """All (name, value) pairs but the pins, sorted by name. Allocates the list."""

def pin(role: str) -> int:
    """The pin of a role of pins.csv. ValueError lists the roles that the board has."""
