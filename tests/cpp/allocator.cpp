// mempool::allocator under the containers of the standard library.
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <set>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "check.hpp"

namespace {

template <typename T>
using pool = mempool::allocator<T>;

template <typename K, typename V>
using pool_map = std::map<K, V, std::less<K>, pool<std::pair<const K, V>>>;

static_assert(pool<int>::is_always_equal::value);
static_assert(std::is_same_v<std::allocator_traits<pool<int>>::rebind_alloc<char>, pool<char>>);

void raw() {
    balanced books;
    pool<int> ints;
    pool<double> doubles(ints); // from another type's
    CHECK(ints == doubles && !(ints != doubles) && ints == pool<int>());

    int *numbers = ints.allocate(10);
    CHECK(used(MEMPOOL_SMALL) == 1);
    CHECK(mempool_handle_of(numbers) > 0);
    numbers[9] = 9;
    ints.deallocate(numbers, 10);
    CHECK(mempool_handle_of(numbers) == MEMPOOL_E_STALE);

    int *nothing = ints.allocate(0); // a block all the same: each has its own address
    CHECK(nothing != nullptr);
    ints.deallocate(nothing, 0);
    doubles.deallocate(doubles.allocate(64), 1); // the class is found from the address
}

void containers() {
    balanced books;
    {
        std::vector<int, pool<int>> vector;
        for (int i = 0; i < 128; i++) {
            vector.push_back(i);
        }
        CHECK(vector.back() == 127);
        CHECK(used(MEMPOOL_XLARGE) == 1 && used(MEMPOOL_LARGE) == 0); // outgrown ones went back

        std::list<std::string, pool<std::string>> list(20, "a string that lives on the heap itself");
        list.pop_front();
        std::list<std::string, pool<std::string>> other(std::move(list));
        CHECK(other.size() == 19);

        pool_map<int, double> map;
        for (int i = 0; i < 15; i++) {
            map[i] = i / 2.0;
        }
        map.erase(3);
        CHECK(map.size() == 14 && map.at(8) == 4.0);
        auto copy = map;
        CHECK(copy == map);
        swap(copy, map);

        std::set<int, std::less<int>, pool<int>> set{ 3, 1, 2 };
        CHECK(*set.begin() == 1);

        std::unordered_map<int, int, std::hash<int>, std::equal_to<int>, pool<std::pair<const int, int>>> hashed;
        for (int i = 0; i < 20; i++) {
            hashed[i] = i * i;
        }
        CHECK(hashed.at(12) == 144);

        std::deque<int, pool<int>> deque;
        for (int i = 0; i < 300; i++) {
            deque.push_front(i);
        }
        CHECK(deque.back() == 0 && deque.front() == 299);

        std::basic_string<char, std::char_traits<char>, pool<char>> text(400, 'x');
        CHECK(text.size() == 400);
        CHECK(stats().used > 512);
    }
}

#if defined(__cpp_exceptions)
void what_fails() {
    balanced books;
    pool<char> chars;
    for (std::size_t n : { std::size_t(513), ~std::size_t(0) }) {
        bool refused = false;
        try {
            (void)chars.allocate(n);
        } catch (const std::bad_alloc &) {
            refused = true;
        }
        CHECK(refused);
    }

    bool wrapped = false; // in 32 bits this many bytes would be 32
    try {
        (void)pool<int>().allocate((std::size_t(1) << 30) + 8);
    } catch (const std::bad_alloc &) {
        wrapped = true;
    }
    CHECK(wrapped);

    std::vector<int, pool<int>> vector(128);
    bool too_long = false;
    try {
        vector.push_back(1);
    } catch (const std::bad_alloc &) {
        too_long = true;
    }
    CHECK(too_long && vector.size() == 128);

    // Exhausted in the middle: the container is as it was, and all of it comes back.
    std::list<int, pool<int>> list;
    bool exhausted = false;
    try {
        for (;;) {
            list.push_back(static_cast<int>(list.size()));
        }
    } catch (const std::bad_alloc &) {
        exhausted = true;
    }
    mempool_pool_info_t tiny;
    CHECK(mempool_pool_info(MEMPOOL_TINY, &tiny) == MEMPOOL_OK);
    CHECK(exhausted && list.size() == tiny.count - tiny.reserve && list.back() == static_cast<int>(list.size()) - 1);
}
#endif

} // namespace

int main(int argc, char **) {
    mempool_init();
    if (argc > 1) { // exhausted: without exceptions this must end in abort()
        std::list<int, pool<int>> list;
        for (;;) {
            list.push_back(1);
        }
    }
    raw();
    containers();
#if defined(__cpp_exceptions)
    what_fails();
#endif
    std::printf("allocator: all right\n");
}
