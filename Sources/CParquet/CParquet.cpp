#include "CParquet.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/io/memory.h>
#include <arrow/util/endian.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/arrow/writer.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace {

thread_local std::string last_error;

// Runs a body that answers with a status; whatever it throws or says becomes this thread's error.
template <class Body>
bool guarded(Body body) {
  try {
    const arrow::Status status = body();
    if (status.ok()) return true;
    last_error = status.message();
  } catch (const std::exception &error) {
    last_error = error.what();
  } catch (...) {
    last_error = "an error of no known kind";
  }
  return false;
}

// Memory of the default pool, up to a limit: a file says how much it unpacks to, and may lie.
class BoundedPool : public arrow::MemoryPool {
 public:
  explicit BoundedPool(int64_t limit) : limit_(limit) {}

  arrow::Status Allocate(int64_t size, int64_t alignment, uint8_t **out) override {
    ARROW_RETURN_NOT_OK(Take(size));
    const arrow::Status status = pool_->Allocate(size, alignment, out);
    if (!status.ok()) taken_ -= size;
    return status;
  }

  arrow::Status Reallocate(
      int64_t old_size, int64_t new_size, int64_t alignment, uint8_t **pointer) override {
    ARROW_RETURN_NOT_OK(Take(new_size - old_size));
    const arrow::Status status = pool_->Reallocate(old_size, new_size, alignment, pointer);
    if (!status.ok()) taken_ -= new_size - old_size;
    return status;
  }

  void Free(uint8_t *buffer, int64_t size, int64_t alignment) override {
    pool_->Free(buffer, size, alignment);
    taken_ -= size;
  }

  int64_t bytes_allocated() const override { return taken_; }
  int64_t max_memory() const override { return limit_; }
  int64_t total_bytes_allocated() const override { return pool_->total_bytes_allocated(); }
  int64_t num_allocations() const override { return pool_->num_allocations(); }
  std::string backend_name() const override { return pool_->backend_name(); }

 private:
  arrow::Status Take(int64_t size) {
    if (size > limit_ - taken_)
      return arrow::Status::OutOfMemory("it unpacks to more than ", limit_, " bytes at once");
    taken_ += size;
    return arrow::Status::OK();
  }

  arrow::MemoryPool *const pool_ = arrow::default_memory_pool();
  const int64_t limit_;
  std::atomic<int64_t> taken_{0};
};

CParquetKind kind_of(const arrow::DataType &type) {
  switch (type.id()) {
    case arrow::Type::FLOAT: return CParquetKindFloat32;
    case arrow::Type::DOUBLE: return CParquetKindFloat64;
    case arrow::Type::INT8: return CParquetKindInt8;
    case arrow::Type::INT16: return CParquetKindInt16;
    case arrow::Type::INT32: return CParquetKindInt32;
    case arrow::Type::INT64: return CParquetKindInt64;
    case arrow::Type::UINT8: return CParquetKindUInt8;
    case arrow::Type::UINT16: return CParquetKindUInt16;
    case arrow::Type::UINT32: return CParquetKindUInt32;
    case arrow::Type::UINT64: return CParquetKindUInt64;
    case arrow::Type::BOOL: return CParquetKindBool;
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING: return CParquetKindText;
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::FIXED_SIZE_LIST: return kind_of(*type.field(0)->type());
    default: return CParquetKindOther;
  }
}

std::shared_ptr<arrow::DataType> type_of(CParquetKind kind) {
  switch (kind) {
    case CParquetKindFloat32: return arrow::float32();
    case CParquetKindFloat64: return arrow::float64();
    case CParquetKindInt8: return arrow::int8();
    case CParquetKindInt16: return arrow::int16();
    case CParquetKindInt32: return arrow::int32();
    case CParquetKindInt64: return arrow::int64();
    case CParquetKindUInt8: return arrow::uint8();
    case CParquetKindUInt16: return arrow::uint16();
    case CParquetKindUInt32: return arrow::uint32();
    case CParquetKindUInt64: return arrow::uint64();
    case CParquetKindBool: return arrow::boolean();
    default: return nullptr;
  }
}

// The place of a field's only column of numbers or texts in the file, or -1 if it has none or
// several.
int leaf_of(const parquet::arrow::SchemaField &field) {
  if (field.children.empty()) return field.column_index;
  return field.children.size() == 1 ? leaf_of(field.children[0]) : -1;
}

// Every element of a footer takes a byte of the file at least, and up to some hundreds of memory.
constexpr int64_t footer_limit = int64_t{16} << 20;
// Bytes of a column that are asked for at once.
constexpr int64_t batch_bytes = int64_t{4} << 20;

// Refuses a footer that is larger than the file or the limit, before any of it is read.
arrow::Status check_footer(arrow::io::RandomAccessFile &input) {
  ARROW_ASSIGN_OR_RAISE(const int64_t size, input.GetSize());
  if (size < 12) return arrow::Status::Invalid("it has ", size, " bytes, and must have 12 or more");
  uint8_t end[8];
  ARROW_ASSIGN_OR_RAISE(const int64_t read, input.ReadAt(size - 8, 8, end));
  if (read != 8 || std::memcmp(end + 4, "PAR1", 4) != 0)
    return arrow::Status::Invalid("it must end with PAR1: it is cut short, or of another kind");
  uint32_t length;
  std::memcpy(&length, end, 4);
  length = arrow::bit_util::FromLittleEndian(length);
  if (length > size - 12 || length > footer_limit)
    return arrow::Status::Invalid("its footer must have at most ", std::min(size - 12, footer_limit),
                                  " bytes, found ", length);
  return arrow::Status::OK();
}

// The elements of an array of lists, and of lists in them; all rows together must have `wanted`.
arrow::Result<std::shared_ptr<arrow::Array>> elements(
    const std::shared_ptr<arrow::Array> &array, int64_t width) {
  if (array->null_count() > 0) return arrow::Status::Invalid("an element is missing");
  const auto flat = [&](const auto &list) -> arrow::Result<std::shared_ptr<arrow::Array>> {
    if (list.length() == 0) return arrow::Status::Invalid("it has no rows");
    const int64_t length = list.value_length(0);
    for (int64_t row = 0; row < list.length(); ++row)
      if (list.value_length(row) != length)
        return arrow::Status::Invalid("its rows have ", length, " and ", list.value_length(row),
                                      " elements");
    if (length < 1 || width % length != 0)
      return arrow::Status::Invalid("a row must have ", width, " elements, found ", length);
    ARROW_ASSIGN_OR_RAISE(auto values, list.Flatten());
    return elements(values, width / length);
  };
  switch (array->type_id()) {
    case arrow::Type::LIST: return flat(static_cast<const arrow::ListArray &>(*array));
    case arrow::Type::LARGE_LIST: return flat(static_cast<const arrow::LargeListArray &>(*array));
    case arrow::Type::FIXED_SIZE_LIST:
      return flat(static_cast<const arrow::FixedSizeListArray &>(*array));
    default:
      if (width != 1) return arrow::Status::Invalid("a row must have ", width, " elements more");
      return array;
  }
}

}  // namespace

struct CParquetFile {
  BoundedPool pool;
  std::unique_ptr<parquet::arrow::FileReader> reader;
  std::shared_ptr<arrow::Schema> schema;
  std::vector<std::string> words;
  explicit CParquetFile(int64_t memory) : pool(memory) {}
};

struct CParquetBuffer {
  std::shared_ptr<arrow::Buffer> buffer;
};

extern "C" {

const char *cparquet_error(void) { return last_error.c_str(); }

CParquetReader cparquet_open(const char *path, int64_t memory) {
  std::unique_ptr<CParquetFile> file;
  const bool opened = guarded([&]() -> arrow::Status {
    file = std::make_unique<CParquetFile>(memory);
    ARROW_ASSIGN_OR_RAISE(auto input, arrow::io::ReadableFile::Open(path, &file->pool));
    ARROW_RETURN_NOT_OK(check_footer(*input));
    parquet::ReaderProperties limits(&file->pool);
    limits.enable_buffered_stream();
    limits.set_thrift_string_size_limit(footer_limit);
    limits.set_thrift_container_size_limit(1 << 16);
    limits.set_schema_depth_limit(32);
    parquet::ArrowReaderProperties plain(/*use_threads=*/false);
    plain.set_pre_buffer(false);
    parquet::arrow::FileReaderBuilder builder;
    ARROW_RETURN_NOT_OK(builder.Open(input, limits));
    ARROW_ASSIGN_OR_RAISE(
        file->reader, builder.memory_pool(&file->pool)->properties(plain)->Build());
    ARROW_RETURN_NOT_OK(file->reader->GetSchema(&file->schema));
    for (const auto &field : file->schema->fields())
      file->words.push_back(field->type()->ToString());
    return arrow::Status::OK();
  });
  return opened ? file.release() : nullptr;
}

void cparquet_close(CParquetReader reader) { delete reader; }

int64_t cparquet_rows(CParquetReader reader) {
  return reader->reader->parquet_reader()->metadata()->num_rows();
}

int32_t cparquet_columns(CParquetReader reader) { return reader->schema->num_fields(); }

const char *cparquet_name(CParquetReader reader, int32_t column) {
  return reader->schema->field(column)->name().c_str();
}

CParquetKind cparquet_kind(CParquetReader reader, int32_t column) {
  return kind_of(*reader->schema->field(column)->type());
}

const char *cparquet_words(CParquetReader reader, int32_t column) {
  return reader->words[column].c_str();
}

bool cparquet_read(
    CParquetReader reader, int32_t column, int64_t width, int64_t rows, void *target) {
  return guarded([&]() -> arrow::Status {
    const CParquetKind kind = cparquet_kind(reader, column);
    const auto type = type_of(kind);
    const int leaf = leaf_of(reader->reader->manifest().schema_fields[column]);
    if (!type || leaf < 0)
      return arrow::Status::Invalid("it must be of numbers, found ", reader->words[column]);
    const int64_t size = kind == CParquetKindBool ? 1 : type->bit_width() / 8;
    std::vector<int> groups(reader->reader->num_row_groups());
    for (size_t place = 0; place < groups.size(); ++place) groups[place] = static_cast<int>(place);
    reader->reader->set_batch_size(std::max<int64_t>(1, batch_bytes / (width * size)));
    ARROW_ASSIGN_OR_RAISE(const auto batches,
                          reader->reader->GetRecordBatchReader(groups, {leaf}));
    auto *out = static_cast<uint8_t *>(target);
    int64_t left = rows * width;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const auto batch, batches->Next());
      if (!batch) break;
      if (batch->num_rows() == 0) continue;
      if (batch->num_columns() != 1) return arrow::Status::Invalid("it must be one column");
      ARROW_ASSIGN_OR_RAISE(const auto values, elements(batch->column(0), width));
      if (values->null_count() > 0) return arrow::Status::Invalid("an element is missing");
      if (values->length() != batch->num_rows() * width || values->length() > left)
        return arrow::Status::Invalid("it must have ", rows, " rows of ", width, " elements");
      if (!type->Equals(*values->type()))
        return arrow::Status::Invalid("it must be of numbers, found ", values->type()->ToString());
      left -= values->length();
      if (kind == CParquetKindBool) {
        const auto &flags = static_cast<const arrow::BooleanArray &>(*values);
        for (int64_t place = 0; place < flags.length(); ++place) *out++ = flags.Value(place);
        continue;
      }
      const int64_t count = values->length() * size;
      const auto &buffer = values->data()->buffers[1];
      if (!buffer || buffer->size() < values->offset() * size + count)
        return arrow::Status::Invalid("it has too few bytes");
      std::memcpy(out, buffer->data() + values->offset() * size, count);
      out += count;
    }
    if (left != 0)
      return arrow::Status::Invalid("it must have ", rows, " rows of ", width, " elements");
    return arrow::Status::OK();
  });
}

CParquetBytes cparquet_write(
    const CParquetColumn *columns, int32_t count, int64_t rows, const char *key,
    const char *value) {
  std::unique_ptr<CParquetBuffer> result;
  const bool written = guarded([&]() -> arrow::Status {
    arrow::FieldVector fields;
    arrow::ArrayVector arrays;
    for (int32_t place = 0; place < count; ++place) {
      const CParquetColumn &column = columns[place];
      const bool isList = column.width > 0;
      const int64_t total = rows * (isList ? column.width : 1);
      std::shared_ptr<arrow::Array> values;
      if (column.kind == CParquetKindText) {
        arrow::StringBuilder builder;
        const auto *texts = static_cast<const char *const *>(column.data);
        for (int64_t row = 0; row < total; ++row) ARROW_RETURN_NOT_OK(builder.Append(texts[row]));
        ARROW_RETURN_NOT_OK(builder.Finish(&values));
      } else if (column.kind == CParquetKindBool) {
        arrow::BooleanBuilder builder;
        ARROW_RETURN_NOT_OK(
            builder.AppendValues(static_cast<const uint8_t *>(column.data), total));
        ARROW_RETURN_NOT_OK(builder.Finish(&values));
      } else {
        const auto type = type_of(column.kind);
        if (!type) return arrow::Status::Invalid("a column is of no known kind");
        auto buffer = std::make_shared<arrow::Buffer>(
            static_cast<const uint8_t *>(column.data), total * (type->bit_width() / 8));
        values = arrow::MakeArray(arrow::ArrayData::Make(type, total, {nullptr, buffer}, 0));
      }
      if (isList && column.kind == CParquetKindText) {
        arrow::Int32Builder offsets;
        for (int64_t row = 0; row <= rows; ++row)
          ARROW_RETURN_NOT_OK(offsets.Append(static_cast<int32_t>(row * column.width)));
        std::shared_ptr<arrow::Array> starts;
        ARROW_RETURN_NOT_OK(offsets.Finish(&starts));
        ARROW_ASSIGN_OR_RAISE(values, arrow::ListArray::FromArrays(*starts, *values));
      } else if (isList) {
        ARROW_ASSIGN_OR_RAISE(
            values,
            arrow::FixedSizeListArray::FromArrays(values, static_cast<int32_t>(column.width)));
      }
      fields.push_back(arrow::field(column.name, values->type()));
      arrays.push_back(values);
    }
    auto schema = arrow::schema(fields);
    if (key && value)
      schema = schema->WithMetadata(
          arrow::KeyValueMetadata::Make({std::string(key)}, {std::string(value)}));
    ARROW_ASSIGN_OR_RAISE(auto output, arrow::io::BufferOutputStream::Create());
    const auto properties =
        parquet::WriterProperties::Builder().compression(parquet::Compression::SNAPPY)->build();
    const auto arrow_properties =
        parquet::ArrowWriterProperties::Builder().store_schema()->build();
    ARROW_RETURN_NOT_OK(parquet::arrow::WriteTable(
        *arrow::Table::Make(schema, arrays, rows), arrow::default_memory_pool(), output, 1 << 20,
        properties, arrow_properties));
    result = std::make_unique<CParquetBuffer>();
    ARROW_ASSIGN_OR_RAISE(result->buffer, output->Finish());
    return arrow::Status::OK();
  });
  return written ? result.release() : nullptr;
}

const void *cparquet_bytes(CParquetBytes bytes) { return bytes->buffer->data(); }
int64_t cparquet_byte_count(CParquetBytes bytes) { return bytes->buffer->size(); }
void cparquet_free(CParquetBytes bytes) { delete bytes; }

}  // extern "C"
