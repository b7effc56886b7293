// must say: mempool: T needs a stricter alignment than a block has (MEMPOOL_ALIGN)
#include "mempool.hpp"

#include <vector>

#ifdef WITHOUT_THE_MISTAKE
struct alignas(4) Sample {
#else
struct alignas(32) Sample {
#endif
    float lanes[8];
};

std::vector<Sample, mempool::allocator<Sample>> samples(1);
