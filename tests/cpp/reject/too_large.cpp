// must say: mempool: T is larger than the largest block (MEMPOOL_MAX_BLOCK)
#include "mempool.hpp"

struct Config {
#ifdef WITHOUT_THE_MISTAKE
    char bytes[512];
#else
    char bytes[513];
#endif
};

bool use() {
    return static_cast<bool>(mempool::make_pooled<Config>());
}
