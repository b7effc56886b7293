// mempool.hpp - C++17 over mempool.h: objects that live in a block, and an allocator for containers.
//
//      auto reading = mempool::make_pooled<Reading>(25.5f);    // empty when no block is free
//      if (reading) { reading->unit = 'C'; }                   // given back where `reading` ends
//
//      xQueueSend(queue, &(handle = reading.release()), 0);    // a handle travels ...
//      mempool::pooled_ptr<Reading> mine(handle);              // ... and is an object again
//
//      std::map<int, Zone, std::less<int>, mempool::allocator<std::pair<const int, Zone>>> zones;
//
// Header only. It needs neither exceptions nor RTTI (-fno-exceptions -fno-rtti), and calls nothing but
// mempool.h: what is said there about interrupts and threads holds here. "ISR: yes" counts without what
// T's own constructor and destructor do. The code of a template lies where its user's does: on ESP32 an
// interrupt that runs during flash writes (IRAM) calls mempool_take and mempool_give themselves.

#ifndef MEMPOOL_HPP
#define MEMPOOL_HPP

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <type_traits>
#include <utility>

#include "mempool.h"

namespace mempool {

// For whom a block is taken and how: an owner as mempool_owner_open answers it, MEMPOOL_SPILL and _CRITICAL
// in `flags`. A number that is no owner (an error of mempool_owner_open too) gets no block.
struct request {
    mempool_owner_t owner;
    std::uint32_t flags;

    constexpr request(int owner_number, std::uint32_t take_flags = 0) noexcept
        : owner(mempool_owner_t(owner_number < 0 || owner_number > 255 ? 255 : owner_number)),
          flags(take_flags) {
    }
};

template <typename T>
class pooled_ptr;

template <typename T, typename... Args>
[[nodiscard]] pooled_ptr<T> make_pooled_for(request how, Args &&...args);

// Sole owner of a T in a block, by handle: 4 bytes, moved and never copied. Its address is looked up at every
// use, so an object whose block somebody else gave back reads as empty instead of as another's data; the
// destructor then leaves that block alone. As with any pointer, one pooled_ptr belongs to one thread at a
// time; different ones are independent.
template <typename T>
class pooled_ptr {
    static_assert(std::is_object_v<T> && !std::is_array_v<T>,
        "mempool: pooled_ptr holds one object (std::array for several)");

  public:
    using element_type = T;
    using pointer = T *;

    constexpr pooled_ptr() noexcept = default;
    constexpr pooled_ptr(std::nullptr_t) noexcept {
    }

    // Takes over what release() gave. Empty, and nothing is taken over, where the handle is stale, foreign or
    // of a block too small for a T. That a T lives in the block is the caller's promise. O(1). ISR: yes.
    explicit pooled_ptr(mempool_handle_t handle) noexcept
        : handle_(fits(handle) ? handle : 0) {
    }

    pooled_ptr(pooled_ptr &&other) noexcept
        : handle_(other.release()) {
    }
    pooled_ptr &operator=(pooled_ptr &&other) noexcept {
        if (this != &other) {
            reset();
            handle_ = other.release();
        }
        return *this;
    }
    pooled_ptr &operator=(std::nullptr_t) noexcept {
        reset();
        return *this;
    }
    pooled_ptr(const pooled_ptr &) = delete;
    pooled_ptr &operator=(const pooled_ptr &) = delete;

    ~pooled_ptr() {
        reset();
    }

    // The object, or nullptr where this is empty or the block was given back by another. O(1). ISR: yes.
    T *get() const noexcept {
        return handle_ == 0 ? nullptr : static_cast<T *>(mempool_data(handle_));
    }

    // The same as get() != nullptr.
    explicit operator bool() const noexcept {
        return get() != nullptr;
    }

    // The object, checked: std::abort() where get() would answer nullptr.
    T &operator*() const noexcept {
        return *checked();
    }
    T *operator->() const noexcept {
        return checked();
    }

    // The handle (0: empty), still owned by this.
    mempool_handle_t handle() const noexcept {
        return handle_;
    }

    // Gives up ownership: the handle, or 0. The object lives on until somebody takes it over. ISR: yes.
    [[nodiscard]] mempool_handle_t release() noexcept {
        return std::exchange(handle_, 0);
    }

    // Destroys the object and gives its block back. On a stale handle nothing is destroyed: the block is another's.
    // O(1). ISR: yes.
    void reset() noexcept {
        static_assert(sizeof(T) > 0, "mempool: T is incomplete");
        // Empty first: a destructor that comes back here finds nothing left to do.
        const mempool_handle_t handle = std::exchange(handle_, 0);
        if (handle == 0) {
            return;
        }
        if (T *object = static_cast<T *>(mempool_data(handle))) {
            object->~T();
        }
        (void)mempool_give(handle); // a stale one is refused and counted there
    }

    void swap(pooled_ptr &other) noexcept {
        std::swap(handle_, other.handle_);
    }
    friend void swap(pooled_ptr &a, pooled_ptr &b) noexcept {
        a.swap(b);
    }

    friend bool operator==(const pooled_ptr &a, std::nullptr_t) noexcept {
        return !a;
    }
    friend bool operator!=(const pooled_ptr &a, std::nullptr_t) noexcept {
        return static_cast<bool>(a);
    }

  private:
    template <typename U, typename... Args>
    friend pooled_ptr<U> make_pooled_for(request how, Args &&...args);

    // Of a block that was just taken for a T: nothing to verify.
    struct fresh {};
    pooled_ptr(mempool_handle_t handle, fresh) noexcept
        : handle_(handle) {
    }

    static bool fits(mempool_handle_t handle) noexcept {
        mempool_block_t block;
        return handle > 0 && mempool_inspect(handle, &block) == MEMPOOL_OK && block.size >= sizeof(T);
    }

    T *checked() const noexcept {
        T *object = get();
        if (object == nullptr) {
            std::abort();
        }
        return object;
    }

    mempool_handle_t handle_ = 0;
};

namespace detail {

// Holds a block until an object is in it: a constructor that throws unwinds through here.
class claim {
  public:
    explicit claim(mempool_handle_t handle) noexcept
        : handle_(handle) {
    }
    claim(const claim &) = delete;
    claim &operator=(const claim &) = delete;
    ~claim() {
        if (handle_ > 0) {
            (void)mempool_give(handle_);
        }
    }
    void *data() const noexcept {
        return handle_ > 0 ? mempool_data(handle_) : nullptr;
    }
    mempool_handle_t keep() noexcept {
        return std::exchange(handle_, 0);
    }

  private:
    mempool_handle_t handle_;
};

} // namespace detail

// A T made from `args` in a block of the smallest class that holds it, taken as `how` says; empty when there is no
// block (then no constructor runs). What T's constructor throws passes, and the block is given back.
// O(1), with MEMPOOL_SPILL O(classes). ISR: yes.
template <typename T, typename... Args>
pooled_ptr<T> make_pooled_for(request how, Args &&...args) {
    static_assert(sizeof(T) <= MEMPOOL_MAX_BLOCK, "mempool: T is larger than the largest block (MEMPOOL_MAX_BLOCK)");
    static_assert(alignof(T) <= MEMPOOL_ALIGN, "mempool: T needs a stricter alignment than a block has (MEMPOOL_ALIGN)");
    detail::claim block(mempool_take_flags(sizeof(T), how.owner, how.flags));
    void *place = block.data();
    if (place == nullptr) {
        return nullptr;
    }
    if constexpr (std::is_constructible_v<T, Args...>) {
        ::new (place) T(std::forward<Args>(args)...);
    } else {
        ::new (place) T{ std::forward<Args>(args)... }; // an aggregate, member by member
    }
    return pooled_ptr<T>(block.keep(), typename pooled_ptr<T>::fresh());
}

// The same without an owner and without flags. O(1). ISR: yes.
template <typename T, typename... Args>
[[nodiscard]] pooled_ptr<T> make_pooled(Args &&...args) {
    return make_pooled_for<T>(request(MEMPOOL_NO_OWNER), std::forward<Args>(args)...);
}

// Allocator of the standard library over the pools: list, map, set, deque, string, vector. One allocation is at
// most MEMPOOL_MAX_BLOCK bytes: containers of nodes grow as long as there are blocks, a vector or string within
// one (it grows by doubling, so reserve() what it needs). No state: all of them are equal, whatever T.
template <typename T>
class allocator {
    static_assert(alignof(T) <= MEMPOOL_ALIGN, "mempool: T needs a stricter alignment than a block has (MEMPOOL_ALIGN)");

  public:
    using value_type = T;
    using is_always_equal = std::true_type;
    using propagate_on_container_move_assignment = std::true_type;

    constexpr allocator() noexcept = default;
    template <typename U>
    constexpr allocator(const allocator<U> &) noexcept {
    }

    // Room for `n` objects. No block free, or more bytes than a block has: std::bad_alloc, and std::abort() where
    // exceptions are off, for no container can go on without. O(1). ISR: yes, where exceptions are off.
    [[nodiscard]] T *allocate(std::size_t n) {
        static_assert(sizeof(T) <= MEMPOOL_MAX_BLOCK, "mempool: T is larger than the largest block (MEMPOOL_MAX_BLOCK)");
        void *place = n <= MEMPOOL_MAX_BLOCK / sizeof(T) ? mempool_alloc(static_cast<std::uint32_t>((n > 0 ? n : 1) * sizeof(T))) : nullptr;
        if (place == nullptr) {
#if defined(__cpp_exceptions)
            throw std::bad_alloc();
#else
            std::abort();
#endif
        }
        return static_cast<T *>(place);
    }

    // Gives it back. The class is found from the address, so `n` may be wrong. O(1). ISR: yes.
    void deallocate(T *place, std::size_t) noexcept {
        (void)mempool_free(place);
    }
};

template <typename T, typename U>
constexpr bool operator==(const allocator<T> &, const allocator<U> &) noexcept {
    return true;
}
template <typename T, typename U>
constexpr bool operator!=(const allocator<T> &, const allocator<U> &) noexcept {
    return false;
}

} // namespace mempool

#endif // MEMPOOL_HPP
