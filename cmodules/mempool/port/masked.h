// masked.h - word operations for a single core without compare-and-set (ESP32-C3, C2, S2): plain accesses, and
// interrupts off once around each whole operation of core/. Never a CAS made of masks: that would mask
// ten times in one take. On the host a mutex plays the mask, so that the whole test suite runs on this make too.
//
// The port supplies mempool_port_mask() -> state and mempool_port_unmask(state), and where it can tell (the host)
// MEMPOOL_PORT_CHECK_MASK(), which ends the program where the mask is not on: what reads and writes a word asks for it.
//
// Kinds of change (see mempool_port.h): nothing comes between the read and the write of a masked operation, so there is but one.

#ifndef MEMPOOL_MASKED_H
#define MEMPOOL_MASKED_H

#ifndef MEMPOOL_PORT_CHECK_MASK
#define MEMPOOL_PORT_CHECK_MASK() ((void)0)
#endif

typedef uint32_t mempool_word_t;

#define MEMPOOL_ENTER() uint32_t mempool_mask_state = mempool_port_mask()
#define MEMPOOL_LEAVE() mempool_port_unmask(mempool_mask_state)

// The order of the program is what an interrupt sees, so that it is enough to hold the compiler: what lies before a store is there
// when it is seen.
MEMPOOL_PORT_INLINE uint32_t mempool_load(const mempool_word_t *w) {
    uint32_t v = *(const volatile mempool_word_t *)w;
    __atomic_signal_fence(__ATOMIC_ACQUIRE);
    return v;
}

MEMPOOL_PORT_INLINE uint32_t mempool_peek(const mempool_word_t *w) {
    return *(const volatile mempool_word_t *)w;
}

MEMPOOL_PORT_INLINE void mempool_poke(mempool_word_t *w, uint32_t v) {
    *(volatile mempool_word_t *)w = v;
}

MEMPOOL_PORT_INLINE void mempool_store(mempool_word_t *w, uint32_t v) {
    __atomic_signal_fence(__ATOMIC_RELEASE);
    *(volatile mempool_word_t *)w = v;
}

MEMPOOL_PORT_INLINE uint32_t mempool_fetch_and(mempool_word_t *w, uint32_t v) {
    MEMPOOL_PORT_CHECK_MASK();
    uint32_t old = *w;
    *w = old & v;
    return old;
}

MEMPOOL_PORT_INLINE uint32_t mempool_fetch_or(mempool_word_t *w, uint32_t v) {
    MEMPOOL_PORT_CHECK_MASK();
    uint32_t old = *w;
    *w = old | v;
    return old;
}

MEMPOOL_PORT_INLINE uint32_t mempool_fetch_add(mempool_word_t *w, uint32_t v) {
    MEMPOOL_PORT_CHECK_MASK();
    uint32_t old = *w;
    *w = old + v;
    return old;
}

MEMPOOL_PORT_INLINE uint32_t mempool_add(mempool_word_t *w, uint32_t v, int *zero) {
    MEMPOOL_PORT_CHECK_MASK();
    *zero = 0;
    return *w += v;
}

MEMPOOL_PORT_INLINE bool mempool_cas(mempool_word_t *w, uint32_t expected, uint32_t desired) {
    MEMPOOL_PORT_CHECK_MASK();
    if (*w != expected) {
        return false;
    }
    *w = desired;
    return true;
}

MEMPOOL_PORT_INLINE bool mempool_add_if(mempool_word_t *w, int32_t least, uint32_t delta, uint32_t *now) {
    MEMPOOL_PORT_CHECK_MASK();
    if ((int32_t)*w < least) {
        return false;
    }
    *now = *w += delta;
    return true;
}

MEMPOOL_PORT_INLINE bool mempool_sub_if(mempool_word_t *w, uint32_t amount, uint32_t *now) {
    return mempool_add_if(w, (int32_t)amount, 0u - amount, now);
}

MEMPOOL_PORT_INLINE bool mempool_swap_if(mempool_word_t *w, uint32_t shift, uint32_t top, uint32_t bar,
    uint32_t next, uint32_t *was) {
    MEMPOOL_PORT_CHECK_MASK();
    *was = *w;
    if (*was >> shift != top || (shift == 15 && *was == bar)) {
        return false;
    }
    *w = next;
    return true;
}

MEMPOOL_PORT_INLINE void mempool_at_least(mempool_word_t *w, uint32_t v) {
    MEMPOOL_PORT_CHECK_MASK();
    if ((int32_t)*w < (int32_t)v) {
        *w = v;
    }
}

MEMPOOL_PORT_INLINE void mempool_at_most(mempool_word_t *w, uint32_t v) {
    MEMPOOL_PORT_CHECK_MASK();
    if ((int32_t)*w > (int32_t)v) {
        *w = v;
    }
}

#endif // MEMPOOL_MASKED_H
