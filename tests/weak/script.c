// script.c - the scripts of a scene: rows of words; N is a class (0 is TINY) or a number:
//
//      take:N critical:N owned:N    the quick call, with the reserve, for the owner
//      full:N spill:N wait:N        mempool_take_flags, with MEMPOOL_SPILL, mempool_take_wait;  alloc:N  mempool_alloc
//      give fullgive free           what this thread took last, if anything: quickly, by mempool_give_flags, by its address
//      put:S fullput:S              shared handle S (those that the set-up took), whose holder this thread is
//      race:S racefree:S python:S   the same, but others may give it as well;  guess:S  the handle that the block gets next
//      adopt:S read:S               hands it to Python; reads a byte
//      stats:N allstats reset leaks look level:N trace check
//      grow:N shrink                pool 0, by N blocks
//      open:Q other:Q close         the owner, or another, with a quota of Q blocks of 32 bytes (0: none); closes the owner
//      info unowned                 of the owner; of nobody
//      hook unhook                  the doorbell
//      init                         mempool_init; where a script has it, the set-up does not
//
// and bus.c's. The set-up may also say held:N, blocks of class 0 that are held for good, and hook.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops.h"

static const verb_t pool_verbs[] = {
    { "take", TAKE, NULL },
    { "critical", TAKE_CRITICAL, NULL },
    { "owned", TAKE_OWNED, NULL },
    { "full", TAKE_FULL, NULL },
    { "spill", TAKE_SPILL, NULL },
    { "wait", TAKE_WAIT, NULL },
    { "alloc", ALLOC, NULL },
    { "give", GIVE, NULL },
    { "fullgive", GIVE_FULL, NULL },
    { "free", FREE, NULL },
    { "put", PUT, NULL },
    { "fullput", PUT_FULL, NULL },
    { "race", RACE, NULL },
    { "racefree", RACE_FREE, NULL },
    { "python", RACE_PYTHON, NULL },
    { "guess", GUESS, NULL },
    { "adopt", ADOPT, NULL },
    { "read", READ, NULL },
    { "stats", STATS, NULL },
    { "allstats", STATS_ALL, NULL },
    { "reset", RESET, NULL },
    { "leaks", LEAKS, NULL },
    { "look", LOOK, NULL },
    { "level", LEVEL, NULL },
    { "grow", GROW, NULL },
    { "shrink", SHRINK, NULL },
    { "open", OPEN, NULL },
    { "other", OPEN_OTHER, NULL },
    { "close", CLOSE, NULL },
    { "info", INFO, NULL },
    { "unowned", UNOWNED, NULL },
    { "trace", TRACE, NULL },
    { "check", CHECK, NULL },
    { "hook", HOOK, NULL },
    { "unhook", UNHOOK, NULL },
    { "init", INIT, NULL },
    { NULL, NOTHING, NULL },
};

static const verb_t *find_verb(const char *name, size_t length) {
    const verb_t *tables[] = { pool_verbs, bus_verbs };
    for (unsigned t = 0; t < 2; t++) {
        for (const verb_t *v = tables[t]; v->name != NULL; v++) {
            if (strlen(v->name) == length && strncmp(v->name, name, length) == 0) {
                return v;
            }
        }
    }
    return NULL;
}

// The next word of a script. False at its end; *what is NULL where it is no operation of a thread.
static bool parse(const char **script, char *name, const verb_t **what, uint32_t *argument) {
    *script += strspn(*script, " ");
    size_t length = strcspn(*script, ": ");
    if (length == 0 || length > 15) {
        return false;
    }
    snprintf(name, 16, "%.*s", (int)length, *script);
    *what = find_verb(*script, length);
    *script += length;
    *argument = 0;
    if (**script == ':') {
        char *end;
        *argument = (uint32_t)strtoul(*script + 1, &end, 10);
        *script = end;
    }
    return true;
}

static void usage(const char *format, const char *name) {
    fprintf(stderr, format, name);
    fprintf(stderr, "\n");
    exit(2);
}

static void add_thread(unsigned thread, const char *script) {
    unsigned at = thread ? world.end[thread - 1] : 0;
    world.first[thread] = (uint8_t)at;
    char name[16];
    const verb_t *what;
    uint32_t argument;
    while (parse(&script, name, &what, &argument)) {
        if (at == OPS || what == NULL) {
            usage(what == NULL ? "no operation '%s'" : "'%s' is one operation too many", name);
        }
        enum verb verb = what->verb;
        world.ops[at++] = (op_t){ .what = what, .argument = (uint8_t)argument, .thread = (uint8_t)thread };
        sees_counts |= verb == STATS || verb == STATS_ALL || verb == RESET;
        sees_stamps |= verb == LEAKS;
        sees_owners |= (verb >= OPEN && verb <= UNOWNED) || verb == RESET || verb == TAKE_OWNED;
        quota_moves |= verb == OPEN || verb == CLOSE;
        hook_moves |= verb == HOOK || verb == UNHOOK;
        full_only &= verb != BUS && !((is_take(verb) && verb != TAKE_FULL) || (is_give(verb) && verb != GIVE_FULL && verb != PUT_FULL));
        before.ready &= verb != INIT;
    }
    world.end[thread] = (uint8_t)at;
}

static void prepare_one(const char *name, const verb_t *what, uint32_t argument) {
    if (strcmp(name, "held") == 0) {
        for (; argument; argument--, before.used[0]++) {
            if (mempool_take(1, MEMPOOL_NO_OWNER) <= 0) {
                usage("%s: the set-up ran out of blocks", name);
            }
        }
        return;
    }
    if (bus_prepare(name, argument)) {
        return;
    }
    if (what == NULL) {
        usage("no operation '%s' of a set-up", name);
    }
    op_t op = { .what = what, .argument = (uint8_t)argument };
    op.result = do_op(&op, 0);
    switch (what->verb) {
        case OPEN:
            owner = (mempool_owner_t)op.result;
            quota = argument == 0 ? UINT32_MAX : argument * MEMPOOL_MIN_BLOCK;
            return;
        case GROW:
            before.grown += (uint8_t)argument;
            return;
        case GIVE:
            before.live &= ~(1ull << number_of(op.handle)); // still shared: a stale handle
            before.used[pool_of(op.handle)]--;
            return;
        default:
            break;
    }
    if (!is_take(what->verb)) {
        return;
    }
    if (op.handle <= 0) {
        usage("%s: the set-up got no block", name);
    }
    unsigned pool = pool_of(op.handle);
    unsigned n = number_of(op.handle);
    shared[shared_count] = op.handle;
    shared_data[shared_count++] = mempool_data(op.handle);
    known_owned[n] = what->verb == TAKE_OWNED;
    before.live |= 1ull << n;
    before.seen |= 1ull << n;
    before.used[pool]++;
    before.owned += known_owned[n] ? 32u << pool : 0;
}

void unit_prepare(const char *setup, char *const *scripts, unsigned threads) {
    for (unsigned i = 0; i < threads; i++) {
        add_thread(i, scripts[i]);
    }
    world_t begun = world;
    if (before.ready) {
        mempool_init();
    }
    char name[16];
    const verb_t *what;
    uint32_t argument;
    while (parse(&setup, name, &what, &argument)) {
        prepare_one(name, what, argument);
    }
    bus_ready();
    look();
    memcpy(begun.told, world.told, sizeof(begun.told));
    world = begun;
}
