// must say: mempool: pooled_ptr holds one object (std::array for several)
#include "mempool.hpp"

#ifdef WITHOUT_THE_MISTAKE
mempool::pooled_ptr<int> numbers;
#else
mempool::pooled_ptr<int[4]> numbers;
#endif
