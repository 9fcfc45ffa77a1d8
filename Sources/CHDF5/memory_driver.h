#pragma once
#include <errno.h>
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// A driver of HDF5 over an open descriptor, for a file in memory or one that a caller makes.
//
// HDF5's own core driver would fill and copy the room that is only reserved, and its POSIX driver
// takes names only, and none below /proc/self/fd. Here what is not written stays a hole.
//
// The library cannot close a file that it cannot flush, so if a disk is full it is told that all
// went well, and the caller is told what happened.

/// glibc shows it to _GNU_SOURCE only.
extern int memfd_create(const char *name, unsigned flags);

/// A file without a name, in memory, closed on exec; negative on failure.
static inline int chdf5_memory_file(void) { return memfd_create("goalpost-hdf5", 1U); }

/// Where a file lies, and where the number of the first failed write goes, if anywhere.
struct chdf5_place {
  int descriptor;
  int *failure;
};

struct chdf5_memory {
  H5FD_t base;  // the library's part, first
  int descriptor;
  int *failure;
  haddr_t allocated;
  haddr_t written;
};

static H5FD_t *chdf5_memory_open(const char *name, unsigned flags, hid_t access, haddr_t limit) {
  (void)name, (void)flags, (void)limit;
  const struct chdf5_place *place = (const struct chdf5_place *)H5Pget_driver_info(access);
  if (!place) return NULL;
  struct chdf5_memory *memory = (struct chdf5_memory *)calloc(1, sizeof *memory);
  if (memory) memory->descriptor = place->descriptor, memory->failure = place->failure;
  return (H5FD_t *)memory;
}

static herr_t chdf5_memory_close(H5FD_t *file) {
  free(file);
  return 0;
}

static int chdf5_memory_compare(const H5FD_t *one, const H5FD_t *other) {
  int a = ((const struct chdf5_memory *)one)->descriptor;
  int b = ((const struct chdf5_memory *)other)->descriptor;
  return (a > b) - (a < b);
}

static herr_t chdf5_memory_query(const H5FD_t *file, unsigned long *flags) {
  (void)file;
  // As the POSIX driver's, less the handle.
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
           H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

static haddr_t chdf5_memory_allocated(const H5FD_t *file, H5FD_mem_t kind) {
  (void)kind;
  return ((const struct chdf5_memory *)file)->allocated;
}

static herr_t chdf5_memory_allocate(H5FD_t *file, H5FD_mem_t kind, haddr_t end) {
  (void)kind;
  ((struct chdf5_memory *)file)->allocated = end;
  return 0;
}

static haddr_t chdf5_memory_end(const H5FD_t *file, H5FD_mem_t kind) {
  (void)kind;
  return ((const struct chdf5_memory *)file)->written;
}

static herr_t chdf5_memory_read(H5FD_t *file, H5FD_mem_t kind, hid_t transfer, haddr_t offset,
                                size_t count, void *buffer) {
  (void)kind, (void)transfer;
  const struct chdf5_memory *memory = (const struct chdf5_memory *)file;
  while (count > 0) {
    ssize_t found = pread(memory->descriptor, buffer, count, (off_t)offset);
    if (found < 0) return -1;
    if (found == 0) {  // Past the end there are zeros.
      memset(buffer, 0, count);
      return 0;
    }
    buffer = (char *)buffer + found;
    offset += (haddr_t)found;
    count -= (size_t)found;
  }
  return 0;
}

static herr_t chdf5_memory_write(H5FD_t *file, H5FD_mem_t kind, hid_t transfer, haddr_t offset,
                                 size_t count, const void *buffer) {
  (void)kind, (void)transfer;
  struct chdf5_memory *memory = (struct chdf5_memory *)file;
  while (count > 0) {
    ssize_t done = pwrite(memory->descriptor, buffer, count, (off_t)offset);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) {
      if (!memory->failure) return -1;
      if (*memory->failure == 0) *memory->failure = done < 0 ? errno : EIO;
      offset += (haddr_t)count;
      break;
    }
    buffer = (const char *)buffer + done;
    offset += (haddr_t)done;
    count -= (size_t)done;
  }
  if (offset > memory->written) memory->written = offset;
  return 0;
}

/// Makes the file as long as what was allocated.
static herr_t chdf5_memory_truncate(H5FD_t *file, hid_t transfer, hbool_t closing) {
  (void)transfer, (void)closing;
  struct chdf5_memory *memory = (struct chdf5_memory *)file;
  if (ftruncate(memory->descriptor, (off_t)memory->allocated) != 0) {
    if (!memory->failure) return -1;
    if (*memory->failure == 0) *memory->failure = errno;
  }
  memory->written = memory->allocated;
  return 0;
}

/// Makes the driver known to the library; to be called once in a process.
static inline hid_t chdf5_register_memory_driver(void) {
  static const H5FD_class_t driver = {
      .name = "goalpost-memory",
      .maxaddr = (haddr_t)1 << 62,
      .fc_degree = H5F_CLOSE_STRONG,
      .fapl_size = sizeof(struct chdf5_place),
      .open = chdf5_memory_open,
      .close = chdf5_memory_close,
      .cmp = chdf5_memory_compare,
      .query = chdf5_memory_query,
      .get_eoa = chdf5_memory_allocated,
      .set_eoa = chdf5_memory_allocate,
      .get_eof = chdf5_memory_end,
      .read = chdf5_memory_read,
      .write = chdf5_memory_write,
      .truncate = chdf5_memory_truncate,
      .fl_map = H5FD_FLMAP_DICHOTOMY,
  };
  return H5FDregister(&driver);
}

/// Has files opened through `access` lie in `descriptor`, which stays the caller's; `failure`,
/// unless NULL, gets the number of the first write that fails.
static inline herr_t chdf5_use_memory(hid_t access, hid_t driver, int descriptor, int *failure) {
  struct chdf5_place place = {descriptor, failure};
  return H5Pset_driver(access, driver, &place);
}
