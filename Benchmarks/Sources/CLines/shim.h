#pragma once
/// Asks for the cache line at `address`, into the second-level cache.
static inline void ask_for_line(const void *address) { __builtin_prefetch(address, 0, 2); }
