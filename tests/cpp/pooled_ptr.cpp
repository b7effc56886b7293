// pooled_ptr and make_pooled: who owns the block, when T lives and dies, and what a stale handle can do.
#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "check.hpp"

namespace {

struct Reading {
    static int alive;
    float value;
    char unit;

    explicit Reading(float v, char u = 'C')
        : value(v), unit(u) {
        alive++;
    }
    ~Reading() {
        alive--;
    }
};
int Reading::alive = 0;

struct Point { // an aggregate: no constructor
    int x;
    int y;
};

using mempool::make_pooled;
using mempool::make_pooled_for;
using mempool::pooled_ptr;

static_assert(sizeof(pooled_ptr<Reading>) == 4, "a handle and nothing else");
static_assert(!std::is_copy_constructible_v<pooled_ptr<Reading>>);
static_assert(!std::is_copy_assignable_v<pooled_ptr<Reading>>);
static_assert(std::is_nothrow_move_constructible_v<pooled_ptr<Reading>>);
static_assert(std::is_nothrow_move_assignable_v<pooled_ptr<Reading>>);
static_assert(!std::is_convertible_v<mempool_handle_t, pooled_ptr<Reading>>, "taking over is said explicitly");

void lives_and_dies() {
    balanced books;
    {
        auto reading = make_pooled<Reading>(25.5f);
        CHECK(reading && reading != nullptr && reading.get() != nullptr);
        CHECK(reading->value == 25.5f && (*reading).unit == 'C');
        CHECK(reinterpret_cast<std::uintptr_t>(reading.get()) % MEMPOOL_ALIGN == 0);
        CHECK(Reading::alive == 1 && used(MEMPOOL_TINY) == 1);
        reading->value = 4.0f;
        CHECK(reading->value == 4.0f);

        mempool_block_t block;
        CHECK(mempool_inspect(reading.handle(), &block) == MEMPOOL_OK);
        CHECK(block.size == sizeof(Reading) && block.data == reading.get() && !block.python && block.owner == 0);
    }
    CHECK(Reading::alive == 0);
}

void empty_ones() {
    balanced books;
    pooled_ptr<Reading> empty;
    CHECK(!empty && empty == nullptr && empty.get() == nullptr && empty.handle() == 0 && empty.release() == 0);
    empty.reset();
    pooled_ptr<Reading> null = nullptr;
    CHECK(null == nullptr);
    null = nullptr;
    pooled_ptr<Reading> moved(std::move(null));
    CHECK(moved == nullptr);
    CHECK(stats().refused == 0);
}

void aggregates_arrays_constants() {
    balanced books;
    auto point = make_pooled<Point>(3, 4);
    CHECK(point->x == 3 && point->y == 4);
    auto zero = make_pooled<Point>();
    CHECK(zero->x == 0 && zero->y == 0);
    auto fixed = make_pooled<const Point>(5, 6);
    CHECK(fixed->x == 5 && fixed->y == 6);
    auto bytes = make_pooled<std::array<unsigned char, MEMPOOL_MAX_BLOCK>>();
    CHECK(bytes->size() == 512 && (*bytes)[511] == 0 && used(MEMPOOL_XLARGE) == 1);
    auto text = make_pooled<std::string>(100u, 'x');
    CHECK(text->size() == 100);
}

void moves() {
    balanced books;
    auto a = make_pooled<Reading>(1.0f);
    const mempool_handle_t handle = a.handle();
    pooled_ptr<Reading> b(std::move(a));
    CHECK(a.handle() == 0 && b.handle() == handle && Reading::alive == 1);

    auto c = make_pooled<Reading>(2.0f);
    c = std::move(b); // the object c had is destroyed
    CHECK(c.handle() == handle && c->value == 1.0f && Reading::alive == 1);

    pooled_ptr<Reading> &same = c;
    c = std::move(same);
    CHECK(c.handle() == handle && c->value == 1.0f);

    auto d = make_pooled<Reading>(3.0f);
    swap(c, d);
    CHECK(c->value == 3.0f && d->value == 1.0f);
    c.swap(d);
    CHECK(c->value == 1.0f && Reading::alive == 2);
    c.reset();
    c.reset();
    CHECK(!c && Reading::alive == 1);

    std::vector<pooled_ptr<Reading>> many;
    for (int i = 0; i < 20; i++) {
        many.push_back(make_pooled<Reading>(static_cast<float>(i)));
    }
    CHECK(many[19]->value == 19.0f && Reading::alive == 21);
    many.erase(many.begin());
    CHECK(many[0]->value == 1.0f && Reading::alive == 20);
}

void handles_travel() {
    balanced books;
    auto reading = make_pooled<Reading>(7.0f);
    const mempool_handle_t handle = reading.release();
    CHECK(handle > 0 && !reading && Reading::alive == 1);
    {
        pooled_ptr<Reading> mine(handle);
        CHECK(mine && mine->value == 7.0f);
    }
    CHECK(Reading::alive == 0);
    CHECK(pooled_ptr<Reading>(handle) == nullptr); // stale
    CHECK(pooled_ptr<Reading>(0) == nullptr);
    CHECK(pooled_ptr<Reading>(MEMPOOL_E_EXHAUSTED) == nullptr);
    CHECK(pooled_ptr<Reading>(0x3fffffff) == nullptr); // no such pool

    const mempool_handle_t small = mempool_take(4, MEMPOOL_NO_OWNER);
    CHECK((pooled_ptr<std::array<char, 8>>(small)) == nullptr); // too small for that type
    CHECK(mempool_give(small) == MEMPOOL_OK);                   // and it was left alone
}

// Somebody else gives the block back, and a third one gets it: the first owner must not touch it.
void stale_is_harmless() {
    balanced books;
    auto reading = make_pooled<Reading>(1.0f);
    const mempool_handle_t handle = reading.handle();
    reading.get()->~Reading();
    CHECK(mempool_give(handle) == MEMPOOL_OK);
    CHECK(reading.handle() == handle && !reading && reading.get() == nullptr && reading == nullptr);

    std::vector<pooled_ptr<std::array<char, 32>>> others; // all of the class: one of them has that very block
    while (auto other = make_pooled<std::array<char, 32>>()) {
        other->fill('o');
        others.push_back(std::move(other));
    }
    CHECK(!reading);
    reading.reset();
    for (auto &other : others) {
        CHECK(other);
        for (char c : *other) {
            CHECK(c == 'o');
        }
    }
    CHECK(Reading::alive == 0);
}

void exhausted_and_owned() {
    balanced books;
    using Block = std::array<char, 512>;
    const std::uint32_t failures = stats().failures;
    std::vector<pooled_ptr<Block>> all;
    while (auto block = make_pooled<Block>()) {
        all.push_back(std::move(block));
    }
    mempool_pool_info_t info;
    CHECK(mempool_pool_info(MEMPOOL_XLARGE, &info) == MEMPOOL_OK);
    CHECK(all.size() == info.count - info.reserve && stats().failures == failures + 1);

    // The reserve, for who says so; and the next class for who lets it spill.
    CHECK(info.reserve > 0);
    auto alarm = make_pooled_for<Block>({ MEMPOOL_NO_OWNER, MEMPOOL_CRITICAL });
    CHECK(alarm && used(MEMPOOL_XLARGE) == all.size() + 1);
    all.clear();
    alarm.reset();

    std::vector<pooled_ptr<std::array<char, 256>>> large;
    while (auto block = make_pooled<std::array<char, 256>>()) {
        large.push_back(std::move(block));
    }
    auto spilled = make_pooled_for<std::array<char, 256>>({ MEMPOOL_NO_OWNER, MEMPOOL_SPILL });
    CHECK(spilled && used(MEMPOOL_XLARGE) == 1);
    spilled.reset();
    large.clear();

    const int owner = mempool_owner_open("sensors", 7, 64, 0);
    CHECK(owner > 0);
    {
        auto first = make_pooled_for<Point>(owner, 1, 2);
        auto second = make_pooled_for<Point>(owner, 3, 4);
        CHECK(first && second->y == 4);
        CHECK(!make_pooled_for<Point>(owner, 5, 6)); // 2 * 32 bytes are the quota
        first.reset();
        CHECK(!make_pooled_for<Point>(owner + 256, 5, 6)); // not that owner, though its low 8 bits are
        mempool_owner_info_t about;
        CHECK(mempool_owner_info(static_cast<mempool_owner_t>(owner), &about) == MEMPOOL_OK);
        CHECK(about.used == 32 && about.peak == 64 && about.denied == 1);
    }
    CHECK(mempool_owner_close(static_cast<mempool_owner_t>(owner), 0) == MEMPOOL_OK);
    CHECK(!make_pooled_for<Point>(MEMPOOL_E_OWNERS, 1, 2)); // an error of owner_open, unlooked at
}

// An object that owns another: destruction goes down the chain, and comes back to an already empty pointer.
struct Node {
    pooled_ptr<Node> next;
    pooled_ptr<Node> *root = nullptr;
    ~Node() {
        if (root != nullptr) {
            root->reset();
        }
    }
};

void chains() {
    balanced books;
    pooled_ptr<Node> head;
    for (int i = 0; i < 50; i++) {
        auto node = make_pooled<Node>();
        node->next = std::move(head);
        head = std::move(node);
    }
    head->root = &head;
    CHECK(used(MEMPOOL_TINY) == 50);
    head.reset();
    CHECK(used(MEMPOOL_TINY) == 0 && stats().refused == 0);
}

// Objects made by one thread and consumed by another, by handle.
void across_threads() {
    balanced books;
    constexpr int messages = 20000;
    std::atomic<mempool_handle_t> slot{ 0 };
    std::thread producer([&slot] {
        for (int i = 0; i < messages; i++) {
            auto point = make_pooled<Point>(i, ~i);
            CHECK(point);
            mempool_handle_t none = 0;
            const mempool_handle_t handle = point.release();
            while (!slot.compare_exchange_weak(none, handle)) {
                none = 0;
                std::this_thread::yield();
            }
        }
    });
    for (int i = 0; i < messages; i++) {
        mempool_handle_t handle = 0;
        while ((handle = slot.exchange(0)) == 0) {
            std::this_thread::yield();
        }
        pooled_ptr<Point> point(handle);
        CHECK(point && point->x == i && point->y == ~i);
    }
    producer.join();
}

#if defined(__cpp_exceptions)
struct Throws {
    char room[200];
    explicit Throws(bool now) {
        if (now) {
            throw 42;
        }
    }
};

void constructor_throws() {
    balanced books;
    int caught = 0;
    for (int i = 0; i < 100; i++) { // more often than there are blocks
        try {
            (void)make_pooled<Throws>(true);
            std::exit(1);
        } catch (int number) {
            caught += number == 42;
        }
    }
    CHECK(caught == 100 && used(MEMPOOL_LARGE) == 0);
    CHECK(make_pooled<Throws>(false));
}
#endif

} // namespace

int main() {
    mempool_init();
    lives_and_dies();
    empty_ones();
    aggregates_arrays_constants();
    moves();
    chains();
    handles_travel();
    stale_is_harmless();
    exhausted_and_owned();
    across_threads();
#if defined(__cpp_exceptions)
    constructor_throws();
#endif
    std::printf("pooled_ptr: all right\n");
}
