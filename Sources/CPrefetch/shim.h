#pragma once
/// Asks the processor to bring the cache line at `address` into its second-level cache, for reading: a
/// batch's lines are more than the first level holds.
static inline void prefetch_line(const void *address) { __builtin_prefetch(address, 0, 2); }
