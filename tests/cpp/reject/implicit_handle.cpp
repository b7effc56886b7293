// must say: could not convert or no viable conversion
#include "mempool.hpp"

mempool::pooled_ptr<int> take_over(mempool_handle_t handle) {
#ifdef WITHOUT_THE_MISTAKE
    return mempool::pooled_ptr<int>(handle);
#else
    return handle;
#endif
}
