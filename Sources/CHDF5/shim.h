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
/// A string of C, of which the size is set on a copy.
static inline hid_t chdf5_string(void) { return H5T_C_S1; }

/// Classes of property lists.
static inline hid_t chdf5_file_creation(void) { return H5P_FILE_CREATE; }
static inline hid_t chdf5_file_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t chdf5_group_creation(void) { return H5P_GROUP_CREATE; }
static inline hid_t chdf5_dataset_creation(void) { return H5P_DATASET_CREATE; }
static inline hid_t chdf5_link_creation(void) { return H5P_LINK_CREATE; }

/// How a file is opened.
static inline unsigned chdf5_truncate(void) { return H5F_ACC_TRUNC; }
static inline unsigned chdf5_read_only(void) { return H5F_ACC_RDONLY; }

/// What HDF5 answers where there is no address.
static inline haddr_t chdf5_no_address(void) { return HADDR_UNDEF; }
#endif
