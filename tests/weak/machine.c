// machine.c - atomic words on a weak memory: what a load may read, and where a store may go.
//
// The rules are RC11's (Lahav, Vafeiadis, Kang, Hur, Dreyer: Repairing sequential consistency in C/C++11, 2017), told by
// histories and views:
//
//      word      has a history: messages in modification order. A message holds a value and the view that its writer released.
//      thread    has a view: how far into each history it has seen, and its clock and those it knows of the others.
//      load      may read any message that its view has not gone beyond. Acquire: it learns the message's view.
//      store     may go anywhere beyond its view, but not between a read-modify-write and what that read. Release: the message
//                gets the thread's view; else the view of its last release fence.
//      change    (read-modify-write) goes right behind the message it read, which no other has followed; the message goes on
//                with the view of the one it read (a release sequence goes on through these alone, as in C++20: the later
//                stores of the same thread, which C11 counted, begin anew).
//      fences    acquire: the views that loads found before; release: see store. Signal fences: nothing, or the same where
//                an interrupt and what it interrupts share a hart (options.hart), which is how C11 has it.
//
// A thread reads only what was there when it read: so no load sees a store that depends on it or follows it in the program. RC11
// forbids this (load buffering) too; C11 itself and some machines do not. The core does not hang on it: what publishes is a release
// or a read-modify-write that acquires and releases, and neither moves up above a load of the same thread on any of our
// machines. Sequentially consistent accesses and fences are not modelled, and refused: the core has none.
//
// Words are of 1 to 8 bytes. The memory of the program only passes values: see machine_load and machine_store_later.

#include <string.h>

#include "weak.h"

#define GAP (1u << 20) // between the places of two messages, at first

typedef struct {
    uint64_t value;
    uint32_t at;   // place in the modification order
    bool followed; // by a read-modify-write
    name_t name;
    view_t view;
} message_t;

// What is known of a word outlasts an execution: who touches it, and whether it matters who comes first.
typedef struct {
    const volatile void *p;
    uint8_t size;
    uint8_t by; // a bit a thread
    bool written, unlocked, point, blind;
} word_t;

static word_t words[WORDS];
static unsigned n_words;
static uint8_t number_at[UNIT_BYTES]; // of the word that begins at this byte of the unit, 0: none, counted from 1
_Static_assert(WORDS < 256, "a byte holds the number of a word");
static struct {
    unsigned n;
    message_t m[MESSAGES];
} history[WORDS];
static bool fences; // the program has some

static struct {
    volatile void *p;
    unsigned size;
    const void *from;
} later;

void machine_begin(void) {
    for (unsigned w = 0; w < n_words; w++) {
        history[w].n = 0;
    }
    lock_begin();
    later.p = NULL;
}

const volatile void *machine_address(unsigned word) {
    return words[word].p;
}

// ---- Views ---------------------------------------------------------------------------------------------

void view_join(view_t *to, const view_t *from) {
    for (unsigned i = 0; i < n_words; i++) {
        to->at[i] = to->at[i] > from->at[i] ? to->at[i] : from->at[i];
    }
    for (unsigned i = 0; i < threads; i++) {
        to->clock[i] = to->clock[i] > from->clock[i] ? to->clock[i] : from->clock[i];
    }
}

void view_copy(view_t *to, const view_t *from) {
    memcpy(to->at, from->at, n_words * sizeof(to->at[0]));
    memcpy(to->clock, from->clock, sizeof(to->clock));
}

static void forget(view_t *view) {
    memset(view->at, 0, n_words * sizeof(view->at[0]));
    memset(view->clock, 0, sizeof(view->clock));
}

static void learn(const message_t *m, int order) {
    thread_t *t = &thread[running];
    if (order == ACQUIRE || order == ACQ_REL) {
        view_join(&t->view, &m->view);
    } else if (fences) {
        view_join(&t->found, &m->view);
    }
}

static void use_fences(void) {
    if (!fences) {
        fences = true;
        start_again();
    }
}

void machine_fence(int order) {
    if (running < 0) {
        return;
    }
    machine_settle();
    thread_t *t = &thread[running];
    if (order == SEQ_CST) {
        weak_fail("a sequentially consistent fence, which is not modelled");
    }
    use_fences();
    t->view.clock[running]++;
    if (order == ACQUIRE || order == ACQ_REL || order == CONSUME) {
        view_join(&t->view, &t->found);
    }
    if (order == RELEASE || order == ACQ_REL) {
        view_copy(&t->released, &t->view);
    }
}

void machine_see_all(void) {
    for (unsigned w = 0; w < n_words; w++) {
        if (history[w].n != 0) {
            view_join(&thread[running].view, &history[w].m[history[w].n - 1].view);
        }
    }
}

// ---- Words ---------------------------------------------------------------------------------------------

static uint64_t peek(const volatile void *p, unsigned size) {
    uint64_t value = 0;
    memcpy(&value, (const void *)(uintptr_t)p, size);
    return value;
}

static void poke(volatile void *p, unsigned size, uint64_t value) {
    memcpy((void *)(uintptr_t)p, &value, size);
}

static unsigned number_of(const volatile void *p, unsigned size) {
    size_t offset;
    (void)in_unit(p, size, &offset);
    unsigned w = number_at[offset];
    if (w-- == 0) {
        if (n_words == WORDS) {
            weak_fail("more than %d words", WORDS);
        }
        words[n_words] = (word_t){ .p = p, .size = (uint8_t)size, .blind = unit_is_blind(p) };
        number_at[offset] = (uint8_t)++n_words;
        start_again(); // no view has anything of it
    }
    if (words[w].size != size) {
        weak_fail("a word is accessed by %u bytes here and by %u there", words[w].size, size);
    }
    return w;
}

bool machine_is_word(const volatile void *p) {
    size_t offset;
    return in_unit(p, 1, &offset) && number_at[offset] != 0;
}

// What memory holds before the first access.
static void begin_history(unsigned w) {
    if (history[w].n == 0) {
        message_t *m = &history[w].m[0];
        m->value = peek(words[w].p, words[w].size);
        m->at = 1;
        m->followed = false;
        m->name = (name_t){ w, w };
        forget(&m->view);
        history[w].n = 1;
    }
}

// The word's number, with a history; before that another thread may go on. UINT_MAX: the word is memory, as good as any.
static unsigned come_to(const volatile void *p, unsigned size, bool writes, int order, const void *from) {
    if (order == SEQ_CST || order == CONSUME) {
        weak_fail("an order that is not modelled: consume or seq_cst");
    }
    machine_settle();
    thread_t *t = &thread[running];
    unsigned w = number_of(p, size);
    word_t *word = &words[w];
    if (word->blind) {
        return UINT32_MAX;
    }
    word->by |= (uint8_t)(1u << running);
    word->written |= writes;
    word->unlocked |= !lock_is_mine();
    if (!word->point && word->written && word->unlocked && (word->by & (word->by - 1)) != 0) {
        word->point = true;
        start_again();
    }
    if (word->point) {
        pause_thread();
    }
    begin_history(w);
    count_step();
    t->view.clock[running]++;
    plain_access(p, size, writes ? ATOMIC_WRITE : ATOMIC_READ, from);
    return w;
}

// The first message that this thread may still read.
static unsigned oldest(unsigned w) {
    unsigned i = history[w].n - 1;
    if (!options.newest) {
        while (i > 0 && history[w].m[i - 1].at >= thread[running].view.at[w]) {
            i--;
        }
    }
    return i;
}

static void note(unsigned w, char what, unsigned i, uint64_t was, uint64_t now, int order, name_t read, const void *from) {
    thread_t *t = &thread[running];
    t->history = mix_name(mix(mix(t->history, (uint64_t)w << 8 | (uint8_t)what), now), read);
    trace(w, what, i + 1 != history[w].n, was, now, order, from);
}

// Puts a message behind number i. `read`: the view of the one whose release sequence it goes on with.
static void put(unsigned w, unsigned i, uint64_t value, int order, const view_t *read) {
    thread_t *t = &thread[running];
    message_t *at = history[w].m;
    if (history[w].n == MESSAGES) {
        weak_fail("more than %d messages of one word: a loop without an end", MESSAGES);
    }
    bool last = i + 1 == history[w].n;
    for (unsigned j = history[w].n; j-- > 0;) { // of threads with one script two may have done the same
        if (at[j].name.a == t->history.a && at[j].name.b == t->history.b) {
            t->history = mix(t->history, 'd');
            j = history[w].n;
        }
    }
    uint32_t place = last ? at[i].at + GAP : at[i].at + (at[i + 1].at - at[i].at) / 2;
    if (place == at[i].at) {
        weak_fail("no room between two messages");
    }
    if (!last) {
        memmove(&at[i + 2], &at[i + 1], (history[w].n - i - 1) * sizeof(message_t));
    }
    history[w].n++;
    message_t *m = &at[i + 1];
    t->view.at[w] = place;
    m->at = place;
    m->value = value;
    m->followed = false;
    m->name = t->history;
    if (order == RELEASE || order == ACQ_REL) {
        view_copy(&m->view, &t->view);
    } else if (fences) {
        view_copy(&m->view, &t->released);
    } else {
        forget(&m->view);
    }
    m->view.at[w] = place;
    if (read != NULL) {
        view_join(&m->view, read);
    }
}

// Reads message i. While this thread wakes up nobody else's turn, it comes to newer ones at last.
static message_t *get(unsigned w, unsigned i) {
    thread_t *t = &thread[running];
    message_t *m = &history[w].m[i];
    t->again[w] = t->last[w] == m->at ? (uint8_t)(t->again[w] + (t->again[w] < 255)) : 0;
    t->last[w] = m->at;
    t->looked = w + 1;
    t->looked_locked = false;
    t->view.at[w] = m->at;
    return m;
}

uint64_t machine_load(const volatile void *p, unsigned size, int order, const void *from) {
    unsigned w = come_to(p, size, false, order, from);
    if (w == UINT32_MAX) {
        return peek(p, size);
    }
    thread_t *t = &thread[running];
    unsigned first = oldest(w), n = history[w].n;
    if (t->again[w] >= options.rereads && t->last[w] == history[w].m[first].at && first + 1 < n) {
        first++;
    }
    unsigned i = n - 1 - choose(n - first);
    message_t *m = get(w, i);
    learn(m, order);
    note(w, 'r', i, m->value, m->value, order, m->name, from);
    return m->value;
}

void machine_store(volatile void *p, unsigned size, uint64_t v, int order, const void *from) {
    unsigned w = come_to(p, size, true, order, from);
    if (w == UINT32_MAX) {
        poke(p, size, v);
        return;
    }
    unsigned may[MESSAGES], n = 0;
    for (unsigned first = oldest(w), i = history[w].n; i-- > first;) {
        if (!history[w].m[i].followed) {
            may[n++] = i;
        }
    }
    unsigned i = may[choose(n)];
    note(w, 'w', i, v, v, order, (name_t){ 0, 0 }, from); // its place is told by the order of the messages
    put(w, i, v, order, NULL);
}

static uint64_t apply(char op, uint64_t a, uint64_t b) {
    return op == '&' ? a & b : op == '|' ? a | b
                           : op == '+'   ? a + b
                           : op == '-'   ? a - b
                           : op == '^'   ? a ^ b
                                         : b;
}

static void follow(unsigned w, unsigned i, char what, uint64_t v, int order, const void *from) {
    static view_t read;
    message_t *m = get(w, i);
    view_copy(&read, &m->view);
    m->followed = true;
    learn(m, order);
    note(w, what, i, m->value, v, order, m->name, from);
    put(w, i, v, order, &read);
}

uint64_t machine_change(volatile void *p, unsigned size, char op, uint64_t v, int order, const void *from) {
    uint64_t mask = size == 8 ? UINT64_MAX : (1ull << 8 * size) - 1;
    unsigned w = come_to(p, size, true, order, from);
    if (w == UINT32_MAX) {
        uint64_t old = peek(p, size);
        poke(p, size, apply(op, old, v));
        return old;
    }
    unsigned may[MESSAGES], n = 0;
    for (unsigned first = oldest(w), i = history[w].n; i-- > first;) {
        if (!history[w].m[i].followed) {
            may[n++] = i;
        }
    }
    unsigned i = may[choose(n)];
    uint64_t old = history[w].m[i].value;
    follow(w, i, op, apply(op, old, v) & mask, order, from);
    return old;
}

// A weak one may also fail where the values agree. In the loops of the core that is one more load of a message which the next turn
// may read as well: the bound loses nothing but turns.
bool machine_swap(volatile void *p, unsigned size, uint64_t *expected, uint64_t desired, int order, int failed, bool weak,
    const void *from) {
    unsigned w = come_to(p, size, true, order, from);
    if (w == UINT32_MAX) {
        uint64_t old = peek(p, size);
        bool same = old == *expected;
        if (same) {
            poke(p, size, desired);
        }
        *expected = old;
        return same;
    }
    thread_t *t = &thread[running];
    unsigned may[2 * MESSAGES], n = 0;
    unsigned first = oldest(w);
    if (t->again[w] >= options.rereads && t->last[w] == history[w].m[first].at && first + 1 < history[w].n) {
        first++;
    }
    for (unsigned i = history[w].n; i-- > first;) {
        bool same = history[w].m[i].value == *expected;
        if (!same || !history[w].m[i].followed) {
            may[n++] = i;
        }
        if (same && weak && t->spurious < options.spurious) {
            may[n++] = i | MESSAGES;
        }
    }
    unsigned i = may[choose(n)];
    bool for_nothing = (i & MESSAGES) != 0;
    i &= ~(unsigned)MESSAGES;
    if (!for_nothing && history[w].m[i].value == *expected) {
        follow(w, i, 'c', desired, order, from);
        return true;
    }
    message_t *m = get(w, i);
    t->spurious += for_nothing;
    learn(m, failed);
    note(w, for_nothing ? 's' : 'f', i, m->value, m->value, failed, m->name, from);
    *expected = m->value;
    return false;
}

void machine_store_later(volatile void *p, unsigned size, const void *from) {
    machine_settle();
    begin_history(number_of(p, size));
    later.p = p;
    later.size = size;
    later.from = from;
}

// The store had its turn when nothing but the thread's own registers lay between: so it has it now.
void machine_settle(void) {
    if (later.p != NULL) {
        volatile void *p = later.p;
        uint64_t value = peek(p, later.size);
        later.p = NULL;
        machine_store(p, later.size, value, RELAXED, later.from);
    }
}

void machine_rest(void) {
    for (unsigned w = 0; w < n_words; w++) {
        if (history[w].n != 0) {
            poke((volatile void *)(uintptr_t)words[w].p, words[w].size, history[w].m[history[w].n - 1].value);
        }
    }
}

// The threads' histories tell what each read; where the stores went is told here.
name_t machine_state(name_t key) {
    for (unsigned w = 0; w < n_words; w++) {
        for (unsigned i = 1; words[w].point && i < history[w].n; i++) {
            key = mix_name(mix(key, w), history[w].m[i].name);
        }
    }
    return key;
}

// ---- What a thread that waits looks for ----------------------------------------------------------------

bool machine_has_news(const thread_t *t) {
    unsigned w = t->looked - 1;
    return t->looked != 0 && history[w].n != 0 && history[w].m[history[w].n - 1].at > t->view.at[w];
}

void machine_show_news(thread_t *t) {
    unsigned w = t->looked - 1, i = history[w].n - 1;
    while (history[w].m[i - 1].at > t->view.at[w]) {
        i--;
    }
    t->view.at[w] = history[w].m[i].at;
}
