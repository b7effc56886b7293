"""Faults that are planted in the core's sources, each with the scene that shows it; and those that
the checker can't show, each with the argument why nothing can come of them in its model.

An edit is a file, a text that is there once, and what replaces it. Where the core has changed so
that the text is gone, the fault's test says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from units import Fault

RELAXED = "memory_order_relaxed"
RMW = "MEMPOOL_ORDER_RMW"
C11 = "mempool/port/atomic_c11.h"
CAS = "mempool/port/atomic_cas.h"
MASKED = "mempool/port/masked.h"
CORE = "mempool/core/mempool_core.h"
PATH = "mempool/core/path.h"
POOL = "mempool/core/pool.c"
BLOCK = "mempool/core/block.c"
OWNER = "mempool/core/owner.c"
PRESSURE = "mempool/core/pressure.c"
STORAGE = "mempool/core/storage.c"
TRACE = "mempool/core/trace.c"
GROW = "mempool/core/grow.c"
QUEUE = "eventbus/core/queue.c"


@dataclass(frozen=True)
class Planted:
    scene: str
    fault: Fault
    port: str = "c11"
    says: str = ""  # what the checker must say


def plant(scene: str, *edits: tuple[str, str, str], port: str = "c11", says: str = "") -> Planted:
    return Planted(scene, Fault(edits), port, says)


# Texts of the core.
LEAVES = "    uint32_t leaves = MEMPOOL_LEAVES(count);\n"
CLAIM_ENTRY = "!mempool_cas(&entry->sequence, was, WHOLE(number) | 1u)"
LOCK = "MEMPOOL_LOCK()"
UNLOCK = "MEMPOOL_UNLOCK()"
UNOWNED = "MEMPOOL_HOT uint32_t mempool_unowned(void) {\n    MEMPOOL_"
ADOPTED = "mempool_word(pool, mempool_handle_index(handle))"
ADOPT = f"mempool_cas({ADOPTED}, held ^ fields, held ^ wanted)"
SET_BIT = "mempool_fetch_or(leaf_at(middle, complement), bit)"
RELAXED_SET_BIT = SET_BIT.replace("mempool_fetch_or", "atomic_fetch_or_explicit")
RELAXED_SET_BIT = RELAXED_SET_BIT.replace(", bit)", f", bit, {RELAXED})")
CLAIM = "mempool_fetch_and(leaf, ~bit)"
SLOW_CLAIM = "mempool_fetch_and(word, ~bit)"
ADD_FREE = "return mempool_add(middle, MEMPOOL_UNIT"
SWAPPED = "} while (!atomic_compare_exchange_weak_explicit(w, &old, next, "
SWAP_TEST = "if (old >> shift != top || (shift == 15 && old == bar)) {"
ADDED = f"}} while (!atomic_compare_exchange_weak_explicit(w, &old, old + delta, {RMW},"
CLEAR_SUMMARY = "    mempool_fetch_and(&pool->summary, ~leaf_bit);\n"
LOOK_AGAIN = "if (mempool_load(leaf) != 0) {"
FILL = "mempool_poison_fill(mempool_handle_pool(handle), mempool_handle_index(handle));"
POISON = f"#if MEMPOOL_POISON\n    {FILL}\n#endif\n"


def in_two_steps(operation: str, sign: str) -> tuple[str, str, str]:
    """A change of atomic_c11.h as a load and a store."""
    return (
        C11,
        f"v = atomic_fetch_{operation}_explicit(w, v, {RMW});",
        f"uint32_t old = mempool_load(w); mempool_store(w, old {sign} v); v = old;",
    )


FAULTS: dict[str, Planted] = {
    # Orders.
    "publication relaxed": plant(
        "take meets two gives",
        (PATH, SET_BIT, RELAXED_SET_BIT),
        says="a race",
    ),
    "acquire relaxed": plant(
        "take meets two gives",
        (PATH, CLAIM, f"atomic_fetch_and_explicit(leaf, ~bit, {RELAXED})"),
        says="a race",
    ),
    "acquire relaxed in the slow claim": plant(
        "three take and give, two blocks",
        (POOL, SLOW_CLAIM, f"atomic_fetch_and_explicit(word, ~bit, {RELAXED})"),
        says="a race",
    ),
    "all changes relaxed": plant(
        "take and give, one block",
        (C11, f"{RMW} memory_order_acq_rel", f"{RMW} {RELAXED}"),
        says="a race",
    ),
    "no release fence (cas)": plant(
        "take meets two gives",
        (CAS, "MEMPOOL_UPDATE(mempool_fetch_or, old | v)", ""),
        (
            CAS,
            "#undef MEMPOOL_UPDATE",
            "MEMPOOL_PORT_INLINE uint32_t mempool_fetch_or(mempool_word_t *w, uint32_t v) {\n"
            "    uint32_t old;\n"
            "    do {\n"
            "        old = mempool_peek(w);\n"
            "    } while (!mempool_cas_primitive(w, old, old | v));\n"
            "    return old;\n"
            "}",
        ),
        port="cas",
    ),
    "no fence for the compiler (single)": plant(
        "take and give, one block",
        (C11, "MEMPOOL_COMPILER_FENCE() atomic_signal_fence(memory_order_acq_rel)",
         "MEMPOOL_COMPILER_FENCE() ((void)0)"),
        port="single",
        says="a race",
    ),
    "no mask (masked)": plant(
        "two takes, two blocks",
        (POOL, "    MEMPOOL_ENTER();\n    mempool_handle_t handle = take_from",
         "    mempool_handle_t handle = take_from"),
        (POOL, "true);\n    MEMPOOL_LEAVE();", "true);"),
        port="masked",
        says="without the mask",
    ),
    # What is no single step.
    "the word's swap in two steps": plant(
        "double give",
        (C11, f"{SWAPPED}{RMW}, {RELAXED}));",
         "} while (0);\n    atomic_store_explicit(w, next, memory_order_release);"),
    ),
    "the ticket in two steps": plant(
        "two takes, two blocks",
        (C11, f"{ADDED}\n        {RELAXED}));",
         "} while (0);\n    atomic_store_explicit(w, old + delta, memory_order_release);"),
    ),
    "the claim in two steps": plant("two takes, two blocks", in_two_steps("and", "&")),
    "giving back in two steps": plant("take meets two gives", in_two_steps("or", "|")),
    "counting in two steps": plant("take meets two gives", in_two_steps("add", "+")),
    # The algorithm.
    "generations stand still": plant(
        "double give meets the next holder",
        (CORE, "MEMPOOL_GENERATION_STEP (1u << 15)", "MEMPOOL_GENERATION_STEP 0u"),
    ),
    "a blind claim": plant(
        "two takes, two blocks", (PATH, "if ((bits & bit) == 0) {", "if (0) {")
    ),
    "no second look at a leaf": plant(
        "summary: a take empties, a give fills", (PATH, LOOK_AGAIN, "if (0) {")
    ),
    "the second look comes first": plant(
        "summary: a take empties, a give fills",
        (PATH, CLEAR_SUMMARY, f"    uint32_t first = mempool_load(leaf);\n{CLEAR_SUMMARY}"),
        (PATH, LOOK_AGAIN, "if (first != 0) {"),
    ),
    "counted before it is free": plant(
        "give meets take",
        (PATH, f"    uint32_t bits = {SET_BIT};",
         f"    (void)mempool_add(middle, MEMPOOL_UNIT, zero);\n    uint32_t bits = {SET_BIT};"),
        (PATH, ADD_FREE, "return mempool_add(middle, 0u"),
    ),
    "a double give is accepted": plant("double give", (C11, SWAP_TEST, "if (0) {")),
    "poisoned too late": plant(
        "poison: take meets two gives",
        (PATH, f"{POISON}    uint32_t bits = {SET_BIT};\n",
         f"    uint32_t bits = {SET_BIT};\n{POISON}"),
    ),
    "adopted by a store": plant(
        "adopt meets give",
        (BLOCK, ADOPT, "(mempool_store(WORD, held ^ wanted), true)".replace("WORD", ADOPTED)),
    ),
    # Pressure.
    "the second look at the state is a load": plant(
        "levels: take and give",
        (PRESSURE, "look_again(&mempool_pool(p)->state)",
         "mempool_load(&mempool_pool(p)->state)"),
    ),
    "no second look at the state": plant(
        "levels: take and give",
        (PRESSURE, "next_level(p, state, next) != next ||", "next_level(p, state, next) > 2u ||"),
    ),
    "a plain doorbell": plant(
        "the hook meets take",
        (PRESSURE, "MEMPOOL_POINTER_STORE(mempool_bell, hook)", "mempool_bell = hook"),
        says="a race",
    ),
    # Before and while mempool_init runs.
    "init tells too early": plant(
        "init meets take",
        (STORAGE, LEAVES, f"{LEAVES}    mempool_store(&pool->state, MEMPOOL_UNIT);\n"),
    ),
    "init tells relaxed": plant(
        "init meets take",
        (STORAGE, "mempool_store(&pool->state, count", "mempool_poke(&pool->state, count"),
    ),
    # Owners.
    "info without the lock": plant(
        "info meets another owner",
        (OWNER, f"    {LOCK};\n    if (is_known(owner)) {{\n        read_entry",
         "    if (is_known(owner)) {\n        read_entry"),
        (OWNER, f"    }}\n    {UNLOCK};\n    return status;\n}}\n\n{UNOWNED}",
         f"    }}\n    return status;\n}}\n\n{UNOWNED}"),
    ),
    # Trace.
    "a trace entry is not claimed": plant(
        "trace meets take and give",
        (TRACE, f"if ((was & 1u) != 0 || {CLAIM_ENTRY}) {{",
         "mempool_store(&entry->sequence, WHOLE(number) | 1u);\n    if (was == 1u) {"),
    ),
    "a trace entry is read once": plant(
        "trace meets take and give",
        (TRACE, "if (mempool_load(&entry->sequence) == sequence) {\n            out",
         "if (packed != 0) {\n            out"),
    ),
    # Growth.
    "a pool grows tickets first": plant(
        "growing, minimum: meets a take",
        (GROW, "    raise_count(pool, first + blocks);\n",
         "    raise_count(pool, first + blocks);\n    int early;\n"
         "    (void)mempool_add(&pool->state, blocks * MEMPOOL_UNIT, &early);\n"),
        (GROW, "blocks * MEMPOOL_UNIT, &zero);\n    move_", "0u, &zero);\n    move_"),
    ),
    "a pool that can't shrink keeps the tickets": plant(
        "growing, minimum: shrinks, meets a give",
        (GROW, "blocks * MEMPOOL_UNIT, &zero);\n        }", "0u, &zero);\n        }"),
    ),
    # The bus.
    "one reference for two lanes": plant(
        "bus: both lanes",
        (QUEUE, "header->refs = (uint16_t)((lanes & 1u) + (lanes >> 1));", "header->refs = 1u;"),
    ),
    "a reference is let go without the lock": plant(
        "bus: both lanes",
        (QUEUE, f"    {LOCK};\n    bool last = let_go(item.header);\n    {UNLOCK};",
         "    bool last = let_go(item.header);"),
        says="a race",
    ),
    "an event is kept without the lock": plant(
        "bus: kept",
        (QUEUE, f"    {LOCK};\n    bool kept =", "    bool kept ="),
        (QUEUE, f"    {UNLOCK};\n    return kept;", "    return kept;"),
        says="a race",
    ),
}  # fmt: skip

# Weakened orders that the model gives no chance to do harm, and why.
NOT_SHOWN: dict[str, tuple[Planted, str]] = {
    "the word's swap relaxed": (
        plant(
            "double give meets two holders",
            (C11, f"{SWAPPED}{RMW}, {RELAXED}", f"{SWAPPED}{RELAXED}, {RELAXED}"),
        ),
        "A give's swap comes between the holder's last write and the setting of the leaf's bit, "
        "which releases; the next holder's claim of the bit acquires. So contents and word alike "
        "come to him through the leaf. Of several givers one wins by the swap being one step, "
        "which no order changes.",
    ),
    "the word's filling-in relaxed": (
        plant(
            "double give meets two holders",
            (PATH, "mempool_store(word, (", "mempool_poke(word, ("),
        ),
        "Who uses the handle got it from the taker, and with it, by whatever brought it, the "
        "word. Who guesses it finds the word as it was or as it is, and both are refused or "
        "obeyed rightly.",
    ),
    "the ticket relaxed": (
        plant("take, give, take meets take and give", (C11, ADDED, ADDED.replace(RMW, RELAXED))),
        "A ticket says that a bit is set somewhere, and the bit was set before the ticket was "
        "there: a giver sets it first. A taker with a relaxed ticket may see the leaf as it was "
        "before; he then looks again (claim_slowly) until he sees it, and a claim always works on "
        "the newest. It costs turns, and no block.",
    ),
    "counting the free block relaxed": (
        plant(
            "take, give, take meets take and give",
            (
                C11,
                "return mempool_fetch_add(w, v) + v;",
                f"return atomic_fetch_add_explicit(w, v, {RELAXED}) + v;",
            ),
        ),
        "As above, from the other side: the count brings nothing to the taker that the leaf does "
        "not bring.",
    ),
}
