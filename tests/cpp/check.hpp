// What the C++ tests share: CHECK that names its line, and the pools' books before and after.
#ifndef CHECK_HPP
#define CHECK_HPP

#include <cstdio>
#include <cstdlib>

#include "mempool.hpp"

#define CHECK(what)                                                          \
    do {                                                                     \
        if (!(what)) {                                                       \
            std::printf("%s:%d: not true: %s\n", __FILE__, __LINE__, #what); \
            std::exit(1);                                                    \
        }                                                                    \
    } while (false)

inline mempool_stats_t stats() {
    mempool_stats_t now;
    mempool_stats(&now);
    return now;
}

// Blocks in use of one pool.
inline unsigned used(unsigned pool) {
    mempool_pool_info_t info;
    CHECK(mempool_pool_info(pool, &info) == MEMPOOL_OK);
    return info.used;
}

// At the end of a scope everything that was taken in it is back, and the pools are healthy.
class balanced {
  public:
    ~balanced() {
        CHECK(stats().used == before_);
        CHECK(mempool_check() == 0);
    }

  private:
    std::uint32_t before_ = stats().used;
};

#endif // CHECK_HPP
