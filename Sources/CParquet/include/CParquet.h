// Parquet files for Swift, by Arrow's C++ library: tables of numbers, lists of numbers of one
// length, and texts.
//
// No C++ exception passes this face. A function that fails returns NULL or false and leaves a
// message of its thread's in cparquet_error().
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
#pragma clang assume_nonnull begin

/// What an element is.
typedef enum __attribute__((enum_extensibility(closed))) : int32_t {
  CParquetKindOther,  // none of these
  CParquetKindFloat32,
  CParquetKindFloat64,
  CParquetKindInt8,
  CParquetKindInt16,
  CParquetKindInt32,
  CParquetKindInt64,
  CParquetKindUInt8,
  CParquetKindUInt16,
  CParquetKindUInt32,
  CParquetKindUInt64,
  CParquetKindBool,  // a byte, 0 or 1
  CParquetKindText,
} CParquetKind;

/// This thread's last error.
const char *cparquet_error(void);

/// An open file.
typedef struct CParquetFile *CParquetReader;

/// Opens a file; its pages and columns take no more than `memory` bytes at once, and its footer may
/// have 16 MiB. The caller closes it.
CParquetReader _Nullable cparquet_open(const char *path, int64_t memory);
void cparquet_close(CParquetReader reader);
/// How many rows and columns it has.
int64_t cparquet_rows(CParquetReader reader);
int32_t cparquet_columns(CParquetReader reader);
/// A column's name, what its elements are, lists looked through, and its type in words; they live
/// as long as the reader.
const char *cparquet_name(CParquetReader reader, int32_t column);
CParquetKind cparquet_kind(CParquetReader reader, int32_t column);
const char *cparquet_words(CParquetReader reader, int32_t column);
/// Copies a column of numbers, of which every row must have just `width`, to `target`, which takes
/// `rows` times that; fails if an element is missing.
bool cparquet_read(
    CParquetReader reader, int32_t column, int64_t width, int64_t rows, void *target);

/// A column to write: `rows` times `width` numbers or texts.
typedef struct {
  const char *name;
  CParquetKind kind;
  /// 0 for a plain number or text in a row, else the numbers or texts of a row's list.
  int64_t width;
  /// Numbers, or pointers to texts.
  const void *data;
} CParquetColumn;

/// A written file's bytes.
typedef struct CParquetBuffer *CParquetBytes;

/// Writes a table; `key` and `value` are put in the file's metadata if there are such. The caller
/// frees it.
CParquetBytes _Nullable cparquet_write(
    const CParquetColumn *columns, int32_t count, int64_t rows, const char *_Nullable key,
    const char *_Nullable value);
const void *cparquet_bytes(CParquetBytes bytes);
int64_t cparquet_byte_count(CParquetBytes bytes);
void cparquet_free(CParquetBytes bytes);

#pragma clang assume_nonnull end
#ifdef __cplusplus
}
#endif
