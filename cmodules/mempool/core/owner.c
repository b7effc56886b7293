// owner.c - who holds blocks, and how many bytes they may: names and quotas. Charging is in pool.c.
//
// An entry is live while C or Python holds it. Letting go takes the quota away: takes are denied, gives still count, and when
// nothing is used any more the place is free again.
//
// Takers and givers change the balance and its lowest, and ask for nothing else but the floor; who opens and closes owners changes
// the floor alone. So a take that meets a new quota is served or denied, and counts as what it is.

#include "mempool_core.h"

#include <string.h>

#if MEMPOOL_OWNERS > 0

mempool_owner_entry_t mempool_owners[MEMPOOL_OWNERS + 1] MEMPOOL_FAST;
static mempool_word_t held_by_c MEMPOOL_FAST; // a bit an owner
static mempool_word_t held_by_python MEMPOOL_FAST;

#define MORE_LOOKS 4u // for a place in the table, a millisecond apart

MEMPOOL_HOT bool mempool_owner_is_live(mempool_owner_t owner) {
    return owner <= MEMPOOL_OWNERS && ((mempool_load(&held_by_c) | mempool_load(&held_by_python)) >> owner & 1u) != 0;
}

// Whether a place is taken: its owner is live, or blocks of it are still out. The second is asked by a read-modify-write. Who closed
// it has stored the floor and looks at the balance, a taker changes the balance and looks at the floor: one of the two sees the other.
static MEMPOOL_HOT bool is_known(mempool_owner_t owner) {
    return mempool_owner_is_live(owner) || (owner <= MEMPOOL_OWNERS && mempool_fetch_add(&mempool_owners[owner].balance, 0u) != 0);
}

static void set_quota(mempool_owner_entry_t *entry, uint32_t quota) {
    mempool_store(&entry->floor, 0u - quota);
}

// What has no owner.
void mempool_owner_init(void) {
    MEMPOOL_LOCK();
    set_quota(&mempool_owners[MEMPOOL_NO_OWNER], MEMPOOL_NO_LIMIT);
    mempool_fetch_or(&held_by_c, 1u);
    MEMPOOL_UNLOCK();
}

// *gone: places of owners that are gone, but for blocks of theirs.
static int open_once(const char *name, size_t length, uint32_t quota, uint32_t flags, uint32_t *gone) {
    int found = MEMPOOL_E_OWNERS;
    bool fresh = false;
    *gone = 0;
    MEMPOOL_LOCK();
    for (mempool_owner_t i = 1; i <= MEMPOOL_OWNERS; ++i) {
        const char *known = mempool_owners[i].name;
        bool is_there = is_known(i); // asked once: it may change
        if (is_there && memcmp(known, name, length) == 0 && known[length] == 0) {
            found = i;
            fresh = false;
            break;
        }
        if (found < 0 && !is_there) {
            found = i;
            fresh = true;
        }
        *gone += is_there && !mempool_owner_is_live(i);
    }
    if (found > 0) {
        mempool_owner_entry_t *entry = &mempool_owners[found];
        if (fresh) {
            memset(entry->name, 0, sizeof(entry->name));
            memcpy(entry->name, name, length);
            mempool_poke(&entry->lowest, 0u);
            mempool_poke(&entry->denied, 0u);
        }
        mempool_fetch_or((flags & MEMPOOL_PYTHON) != 0 ? &held_by_python : &held_by_c, 1u << found);
        set_quota(entry, quota == 0 ? MEMPOOL_NO_LIMIT : quota);
    }
    MEMPOOL_UNLOCK();
    return found;
}

int mempool_owner_open(const char *name, size_t length, uint32_t quota, uint32_t flags) {
    if (length < 1 || length > MEMPOOL_NAME_MAX || quota >= MEMPOOL_NO_LIMIT) {
        return MEMPOOL_E_RANGE;
    }
    if (!mempool_is_ready()) {
        return MEMPOOL_E_OWNERS;
    }
    uint32_t gone;
    int opened = open_once(name, length, quota, flags, &gone);
    // A take in the name of one that is gone charges its place for an instant.
    for (uint32_t look = 0; opened == MEMPOOL_E_OWNERS && gone != 0 && !MEMPOOL_SINGLE_CORE && look < MORE_LOOKS; ++look) {
        mempool_port_sleep_ms(1u);
        opened = open_once(name, length, quota, flags, &gone);
    }
    return opened;
}

int mempool_owner_close(mempool_owner_t owner, uint32_t flags) {
    int status = MEMPOOL_OK;
    MEMPOOL_LOCK();
    mempool_word_t *holders = (flags & MEMPOOL_PYTHON) != 0 ? &held_by_python : &held_by_c;
    if (owner == MEMPOOL_NO_OWNER || owner > MEMPOOL_OWNERS || (mempool_load(holders) >> owner & 1u) == 0) {
        status = MEMPOOL_E_RANGE;
    } else {
        mempool_fetch_and(holders, ~(1u << owner));
        if (!mempool_owner_is_live(owner)) {
            set_quota(&mempool_owners[owner], 0u);
        }
    }
    MEMPOOL_UNLOCK();
    return status;
}

// Under the lock.
static MEMPOOL_HOT void read_entry(const mempool_owner_entry_t *entry, mempool_owner_info_t *info) {
    uint32_t quota = 0u - mempool_load(&entry->floor);
    uint32_t used = 0u - mempool_load(&entry->balance);
    uint32_t peak = 0u - mempool_load(&entry->lowest);
    // A take that is about to be denied is not used. Beyond the quota is only what was taken before it was cut.
    uint32_t most = peak > quota ? peak : quota;
    used = used > most ? most : used;
    memcpy(info->name, entry->name, sizeof(info->name));
    info->quota = quota == MEMPOOL_NO_LIMIT ? 0u : quota;
    info->used = used;
    info->peak = peak > used ? peak : used;
    info->denied = mempool_load(&entry->denied);
}

MEMPOOL_HOT int mempool_owner_info(mempool_owner_t owner, mempool_owner_info_t *info) {
    int status = MEMPOOL_E_RANGE;
    if (owner == MEMPOOL_NO_OWNER || owner > MEMPOOL_OWNERS) {
        return status;
    }
    MEMPOOL_LOCK();
    if (is_known(owner)) {
        read_entry(&mempool_owners[owner], info);
        status = mempool_owner_is_live(owner) ? MEMPOOL_OK : MEMPOOL_E_RANGE;
    }
    MEMPOOL_UNLOCK();
    return status;
}

MEMPOOL_HOT uint32_t mempool_unowned(void) {
    MEMPOOL_LOCK();
    uint32_t used = 0u - mempool_load(&mempool_owners[MEMPOOL_NO_OWNER].balance);
    for (mempool_owner_t i = 1; i <= MEMPOOL_OWNERS; ++i) {
        used -= mempool_owner_is_live(i) ? 0u : mempool_load(&mempool_owners[i].balance);
    }
    MEMPOOL_UNLOCK();
    return used;
}

void mempool_owner_reclaim_python(void) {
    for (mempool_owner_t i = 1; i <= MEMPOOL_OWNERS; ++i) {
        (void)mempool_owner_close(i, MEMPOOL_PYTHON);
    }
}

void mempool_owner_reset_stats(void) {
    for (mempool_owner_t i = 0; i <= MEMPOOL_OWNERS; ++i) {
        mempool_owner_entry_t *entry = &mempool_owners[i];
        MEMPOOL_LOCK();
        mempool_at_least(&entry->lowest, mempool_load(&entry->balance));
        uint32_t floor = mempool_load(&entry->floor);
        uint32_t balance = mempool_fetch_add(&entry->balance, 0u); // what was taken meanwhile: see reset_pool
        bool beyond = (int32_t)balance < (int32_t)floor;           // by a take that is about to be denied, or the quota was cut
        mempool_at_most(&entry->lowest, beyond ? floor : balance);
        mempool_fetch_add(&entry->denied, 0u - mempool_load(&entry->denied)); // what is denied meanwhile stays
        MEMPOOL_UNLOCK();
    }
}

#else

bool mempool_owner_is_live(mempool_owner_t owner) {
    return owner == MEMPOOL_NO_OWNER;
}

int mempool_owner_open(const char *name, size_t length, uint32_t quota, uint32_t flags) {
    (void)name;
    (void)flags;
    return length < 1 || length > MEMPOOL_NAME_MAX || quota >= MEMPOOL_NO_LIMIT ? MEMPOOL_E_RANGE : MEMPOOL_E_OWNERS;
}

int mempool_owner_close(mempool_owner_t owner, uint32_t flags) {
    (void)owner;
    (void)flags;
    return MEMPOOL_E_RANGE;
}

int mempool_owner_info(mempool_owner_t owner, mempool_owner_info_t *info) {
    (void)owner;
    (void)info;
    return MEMPOOL_E_RANGE;
}

MEMPOOL_HOT uint32_t mempool_unowned(void) {
    mempool_stats_t stats;
    mempool_stats(&stats);
    return stats.used + stats.heap_used;
}

#endif
