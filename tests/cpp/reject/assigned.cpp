// must say: use of deleted function or overload resolution selected deleted operator
#include "mempool.hpp"

#include <utility>

void assign(mempool::pooled_ptr<int> &to, mempool::pooled_ptr<int> &from) {
#ifdef WITHOUT_THE_MISTAKE
    to = std::move(from);
#else
    to = from;
#endif
}
