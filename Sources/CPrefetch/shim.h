#pragma once
/// Asks the processor to bring the cache line at `address` into its first-level cache, for reading.
static inline void prefetch_line(const void *address) { __builtin_prefetch(address, 0, 3); }
