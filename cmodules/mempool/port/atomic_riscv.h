// atomic_riscv.h - word operations on one RISC-V hart with the A extension. What is more than one amo is written out:
// load-reserved / store-conditional and amomin/amomax say in 1 to 5 instructions what a compiler needs 10 to 12 for,
// and a plain store is a plain store (GCC makes an exchange of every C11 one). No .aq and .rl bits and no fences:
// an interrupt on the same hart sees the order of the program, so that it is enough to hold the compiler.
//
// Kinds of change (see mempool_port.h): a store-conditional fails where anything between it and its load-reserved has ended the
// reservation. Another store-conditional does, and another load-reserved takes it over; a trap, its return, an amo or a plain
// store of the same hart need not (The RISC-V Instruction Set Manual, volume I, "A" extension). So an amo that runs between the
// two would be lost. A word is therefore changed by LR/SC alone (add, add_if, sub_if, swap_if, cas) or by amos alone (fetch_*,
// at_least, at_most), and mempool_add is a loop here, although amoadd.w would be three instructions less.
//
// A load-reserved that takes the reservation over hands it on: the store-conditional of whoever was interrupted would pair with it,
// and undo what came between. So none is left behind: what is refused ends it. An interrupt, which runs to its end, is seen by whom
// it interrupted. Two tasks that preempt each other need more where one has changed the word, and is stopped again between the two
// instructions of its next change: the switch of tasks, or the trap, must drop the reservation there. That is assumed of the chip.
// Take and give change a word once, so that it takes two calls within one time slice.
//
// Plain stores beside LR/SC: to a block's word, by the taker of a free block. Every LR/SC of that word refuses a free block before
// its store-conditional, so that none that is under way can succeed behind such a store.

#ifndef MEMPOOL_ATOMIC_RISCV_H
#define MEMPOOL_ATOMIC_RISCV_H

typedef volatile uint32_t mempool_word_t;

#define MEMPOOL_ENTER() ((void)0)
#define MEMPOOL_LEAVE() ((void)0)

#define MEMPOOL_COMPILER_FENCE() __asm__ volatile("" \
                                                  :  \
                                                  :  \
                                                  : "memory")

// The order of the program is what everybody sees: a look behind a store needs no more than a load.
#define MEMPOOL_PORT_IN_ORDER 1

MEMPOOL_PORT_INLINE uint32_t mempool_load(const mempool_word_t *w) {
    uint32_t v = *w;
    MEMPOOL_COMPILER_FENCE();
    return v;
}

MEMPOOL_PORT_INLINE uint32_t mempool_peek(const mempool_word_t *w) {
    return *w;
}

MEMPOOL_PORT_INLINE void mempool_poke(mempool_word_t *w, uint32_t v) {
    *w = v;
}

MEMPOOL_PORT_INLINE void mempool_store(mempool_word_t *w, uint32_t v) {
    MEMPOOL_COMPILER_FENCE();
    *w = v;
}

#define MEMPOOL_AMO(name, instruction)                                 \
    MEMPOOL_PORT_INLINE uint32_t name(mempool_word_t *w, uint32_t v) { \
        uint32_t old;                                                  \
        __asm__ volatile(instruction " %[old], %[v], (%[w])"           \
                         : [old] "=r"(old)                             \
                         : [w] "r"(w), [v] "r"(v)                      \
                         : "memory");                                  \
        return old;                                                    \
    }
MEMPOOL_AMO(mempool_fetch_and, "amoand.w")
MEMPOOL_AMO(mempool_fetch_or, "amoor.w")
MEMPOOL_AMO(mempool_fetch_add, "amoadd.w")
#undef MEMPOOL_AMO

// -> what the word is then. *zero becomes 0: sc.w leaves it, which saves the caller an instruction.
MEMPOOL_PORT_INLINE uint32_t mempool_add(mempool_word_t *w, uint32_t v, int *zero) {
    uint32_t value, failed;
    __asm__ volatile(
        "0: lr.w %[v], (%[w])\n\t"
        "add %[v], %[v], %[delta]\n\t"
        "sc.w %[f], %[v], (%[w])\n\t"
        "bnez %[f], 0b"
        : [v] "=&r"(value), [f] "=&r"(failed)
        : [w] "r"(w), [delta] "rI"(v)
        : "memory");
    *zero = (int)failed;
    return value;
}

MEMPOOL_PORT_INLINE void mempool_at_least(mempool_word_t *w, uint32_t v) {
    __asm__ volatile("amomax.w zero, %[v], (%[w])"
                     :
                     : [w] "r"(w), [v] "r"(v)
                     : "memory");
}

MEMPOOL_PORT_INLINE void mempool_at_most(mempool_word_t *w, uint32_t v) {
    __asm__ volatile("amomin.w zero, %[v], (%[w])"
                     :
                     : [w] "r"(w), [v] "r"(v)
                     : "memory");
}

// Each of the two ends the reservation of a change that is refused. A store-conditional to any other word does, here to what is free
// below the stack; to the word itself it could undo a plain store that came between. Where nobody stores plainly, what was there may
// be put back, which saves an instruction.
#define MEMPOOL_END_RESERVATION()                                    \
    {                                                                \
        uint32_t below;                                              \
        __asm__ volatile("addi %0, sp, -16\n\tsc.w zero, zero, (%0)" \
                         : "=r"(below)                               \
                         :                                           \
                         : "memory");                                \
    }

#define MEMPOOL_PUT_BACK(w, value) __asm__ volatile("sc.w zero, %0, (%1)" \
                                                    :                     \
                                                    : "r"(value), "r"(w)  \
                                                    : "memory")

MEMPOOL_PORT_INLINE bool mempool_cas(mempool_word_t *w, uint32_t expected, uint32_t desired) {
    uint32_t value, failed;
    __asm__ goto volatile(
        "0: lr.w %[v], (%[w])\n\t"
        "bne %[v], %[e], %l[differs]\n\t"
        "sc.w %[f], %[d], (%[w])\n\t"
        "bnez %[f], 0b"
        : [v] "=&r"(value), [f] "=&r"(failed)
        : [w] "r"(w), [e] "r"(expected), [d] "r"(desired)
        : "memory"
        : differs);
    return true;
differs:
    MEMPOOL_END_RESERVATION();
    return false;
}

MEMPOOL_PORT_INLINE bool mempool_add_if(mempool_word_t *w, int32_t least, uint32_t delta, uint32_t *now) {
    uint32_t value, failed;
    __asm__ goto volatile(
        "0: lr.w %[v], (%[w])\n\t"
        "blt %[v], %[least], %l[refused]\n\t"
        "add %[v], %[v], %[delta]\n\t"
        "sc.w %[f], %[v], (%[w])\n\t"
        "bnez %[f], 0b"
        : [v] "=&r"(value), [f] "=&r"(failed)
        : [w] "r"(w), [least] "r"(least), [delta] "r"(delta)
        : "memory"
        : refused);
    *now = value;
    return true;
refused:
    MEMPOOL_PUT_BACK(w, value);
    return false;
}

MEMPOOL_PORT_INLINE bool mempool_sub_if(mempool_word_t *w, uint32_t amount, uint32_t *now) {
    uint32_t value, failed;
    __asm__ goto volatile(
        "0: lr.w %[v], (%[w])\n\t"
        "blt %[v], %[amount], %l[refused]\n\t"
        "sub %[v], %[v], %[amount]\n\t"
        "sc.w %[f], %[v], (%[w])\n\t"
        "bnez %[f], 0b"
        : [v] "=&r"(value), [f] "=&r"(failed)
        : [w] "r"(w), [amount] "r"(amount)
        : "memory"
        : refused);
    *now = value;
    return true;
refused:
    MEMPOOL_PUT_BACK(w, value);
    return false;
}

#define MEMPOOL_SWAP(test)                                                                 \
    __asm__ goto volatile(                                                                 \
        "0: lr.w %[v], (%[w])\n\t"                                                         \
        "srli %[t], %[v], %[shift]\n\t"                                                    \
        "bne %[t], %[top], %l[refused]\n\t" test                                           \
        "sc.w %[t], %[next], (%[w])\n\t"                                                   \
        "bnez %[t], 0b"                                                                    \
        : [v] "=&r"(value), [t] "=&r"(scratch)                                             \
        : [w] "r"(w), [shift] "i"(shift), [top] "r"(top), [bar] "r"(bar), [next] "r"(next) \
        : "memory"                                                                         \
        : refused)

MEMPOOL_PORT_INLINE bool mempool_swap_if(mempool_word_t *w, uint32_t shift, uint32_t top, uint32_t bar, uint32_t next,
    uint32_t *was) {
    uint32_t value, scratch;
    if (shift != 15) {
        MEMPOOL_SWAP("");
    } else {
        MEMPOOL_SWAP("beq %[v], %[bar], %l[refused]\n\t");
    }
    *was = value;
    return true;
refused:
    MEMPOOL_END_RESERVATION();
    return false;
}
#undef MEMPOOL_SWAP
#undef MEMPOOL_END_RESERVATION
#undef MEMPOOL_PUT_BACK

// An entry of a constant table of pointers: GCC makes two instructions of its address, of which a load can take one along.
#define MEMPOOL_PORT_FETCH(result, table, number)                       \
    __asm__("lui %0, %%hi(%2)\n\tadd %0, %0, %1\n\tlw %0, %%lo(%2)(%0)" \
            : "=&r"(result)                                             \
            : "r"((number) * sizeof((table)[0])), "i"(&(table)[0]))

#endif // MEMPOOL_ATOMIC_RISCV_H
