#pragma once
#if !__has_include(<hdf5.h>)
#error "hdf5.h not found: run `make setup`"
#else
#include <hdf5.h>

#include "memory_driver.h"

// What Swift cannot read of HDF5: macros that hold calls. One inline function for each.

/// Stored element types, little-endian.
static inline hid_t chdf5_float32(void) { return H5T_IEEE_F32LE; }
static inline hid_t chdf5_float64(void) { return H5T_IEEE_F64LE; }
static inline hid_t chdf5_int32(void) { return H5T_STD_I32LE; }
static inline hid_t chdf5_int64(void) { return H5T_STD_I64LE; }
static inline hid_t chdf5_uint8(void) { return H5T_STD_U8LE; }
static inline hid_t chdf5_uint64(void) { return H5T_STD_U64LE; }
static inline hid_t chdf5_int8(void) { return H5T_STD_I8LE; }
static inline hid_t chdf5_int16(void) { return H5T_STD_I16LE; }
static inline hid_t chdf5_uint16(void) { return H5T_STD_U16LE; }
static inline hid_t chdf5_uint32(void) { return H5T_STD_U32LE; }
/// A new type of the caller's: h5py's bool, an enumeration of FALSE and TRUE over a signed byte.
static inline hid_t chdf5_make_bool(void) {
  hid_t type = H5Tenum_create(H5T_STD_I8LE);
  signed char value = 0;
  if (type < 0 || H5Tenum_insert(type, "FALSE", &value) < 0) return -1;
  value = 1;
  return H5Tenum_insert(type, "TRUE", &value) < 0 ? -1 : type;
}
/// A string of C, of which the size is set on a copy.
static inline hid_t chdf5_string(void) { return H5T_C_S1; }

/// A new type of the caller's: text in UTF-8 of any length, as h5py writes it; of `bytes` bytes if
/// not 0.
static inline hid_t chdf5_make_text(size_t bytes) {
  hid_t type = H5Tcopy(H5T_C_S1);
  if (type < 0 || H5Tset_size(type, bytes ? bytes : H5T_VARIABLE) < 0) return -1;
  if (bytes && H5Tset_strpad(type, H5T_STR_NULLPAD) < 0) return -1;
  return !bytes && H5Tset_cset(type, H5T_CSET_UTF8) < 0 ? -1 : type;
}

/// Keeps the library from closing itself when the process ends; it must come before the macros
/// below, which start the library. Every file of ours is closed by its owner, and the library's own
/// closing stumbles over the error stacks of threads that are gone ("infinite loop closing
/// library").
static inline void chdf5_prepare(void) { H5dont_atexit(); }

/// Classes of property lists, one of the first two of which begins all work with a file.
static inline hid_t chdf5_file_creation(void) { chdf5_prepare(); return H5P_FILE_CREATE; }
static inline hid_t chdf5_file_access(void) { chdf5_prepare(); return H5P_FILE_ACCESS; }
static inline hid_t chdf5_group_creation(void) { return H5P_GROUP_CREATE; }
static inline hid_t chdf5_dataset_creation(void) { return H5P_DATASET_CREATE; }
static inline hid_t chdf5_link_creation(void) { return H5P_LINK_CREATE; }

/// How a file is opened.
static inline unsigned chdf5_truncate(void) { return H5F_ACC_TRUNC; }
static inline unsigned chdf5_read_only(void) { return H5F_ACC_RDONLY; }

/// HDF5's answer for a missing address.
static inline haddr_t chdf5_no_address(void) { return HADDR_UNDEF; }
#endif
