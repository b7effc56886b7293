// must say: mempool: T needs a stricter alignment than a block has (MEMPOOL_ALIGN)
#include "mempool.hpp"

#ifdef WITHOUT_THE_MISTAKE
struct alignas(8) Vector {
#else
struct alignas(16) Vector {
#endif
    float lanes[4];
};

bool use() {
    return static_cast<bool>(mempool::make_pooled_for<Vector>(1));
}
