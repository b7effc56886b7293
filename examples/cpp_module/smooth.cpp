// smooth.cpp - moving means, each a C++ object in a block of the pools. pooled_ptr gives the block back when the filter is replaced or
// closed, and nothing here asks a heap.

#include "smooth.h"

#include "mempool.hpp"

namespace {

class moving_mean {
  public:
    explicit moving_mean(unsigned window) noexcept
        : window_(window) {
    }

    std::int32_t step(std::int32_t value) noexcept {
        sum_ += value;
        if (count_ < window_) {
            ++count_;
        } else {
            sum_ -= values_[next_];
        }
        values_[next_] = value;
        next_ = next_ + 1 < window_ ? next_ + 1 : 0;
        return static_cast<std::int32_t>(sum_ / static_cast<std::int64_t>(count_));
    }

  private:
    std::int64_t sum_ = 0;
    unsigned window_;
    unsigned count_ = 0;
    unsigned next_ = 0;
    std::int32_t values_[SMOOTH_WINDOW_MAX] = {};
};

mempool::pooled_ptr<moving_mean> channels[SMOOTH_CHANNELS];

} // namespace

bool smooth_open(unsigned channel, unsigned window) {
    channels[channel] = mempool::make_pooled<moving_mean>(window);
    return static_cast<bool>(channels[channel]);
}

void smooth_close(unsigned channel) {
    channels[channel] = nullptr;
}

bool smooth_step(unsigned channel, std::int32_t value, std::int32_t *mean) {
    moving_mean *filter = channels[channel].get();
    if (filter == nullptr) {
        return false;
    }
    *mean = filter->step(value);
    return true;
}
