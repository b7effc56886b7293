// must say: use of deleted function or call to deleted constructor
#include "mempool.hpp"

#include <utility>

mempool::pooled_ptr<int> copy(mempool::pooled_ptr<int> &one) {
#ifdef WITHOUT_THE_MISTAKE
    return std::move(one);
#else
    return one;
#endif
}
