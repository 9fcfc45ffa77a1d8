#pragma once
#include <sys/types.h>

/// glibc shows it to _GNU_SOURCE only.
extern int sync_file_range(int descriptor, off_t offset, off_t count, unsigned flags);

/// Begins to write what is dirty of a file to the disk, and does not wait for it.
static inline void start_writeback(int descriptor, off_t offset, off_t count) {
  (void)sync_file_range(descriptor, offset, count, 2U);  // SYNC_FILE_RANGE_WRITE
}
