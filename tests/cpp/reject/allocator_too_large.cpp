// must say: mempool: T is larger than the largest block (MEMPOOL_MAX_BLOCK)
#include "mempool.hpp"

struct Page {
#ifdef WITHOUT_THE_MISTAKE
    char bytes[500];
#else
    char bytes[600];
#endif
};

Page *use() {
    return mempool::allocator<Page>().allocate(1);
}
