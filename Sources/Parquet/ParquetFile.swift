internal import CParquet

/// An error of a Parquet file.
public struct ParquetError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file.
  public let file: String
  /// Arrow's message.
  public let reason: String

  /// One sentence: what was refused, and where.
  public var description: String { "\(file): \(reason)" }

  /// Arrow's last message on this thread.
  init(file: String) {
    self.file = file
    reason = String(cString: cparquet_error())
  }
}

/// The element types of columns.
public enum ParquetType: String, Sendable, CaseIterable {
  /// A 4-byte float.
  case float32 = "f32"
  /// An 8-byte float.
  case float64 = "f64"
  /// A signed byte.
  case int8 = "i8"
  /// A signed 2-byte integer.
  case int16 = "i16"
  /// A signed 4-byte integer.
  case int32 = "i32"
  /// A signed 8-byte integer.
  case int64 = "i64"
  /// An unsigned byte.
  case uint8 = "u8"
  /// An unsigned 2-byte integer.
  case uint16 = "u16"
  /// An unsigned 4-byte integer.
  case uint32 = "u32"
  /// An unsigned 8-byte integer.
  case uint64 = "u64"
  /// A byte that is 0 or 1.
  case bool
  /// A text.
  case text

  var kind: CParquetKind {
    switch self {
    case .float32: .float32
    case .float64: .float64
    case .int8: .int8
    case .int16: .int16
    case .int32: .int32
    case .int64: .int64
    case .uint8: .uInt8
    case .uint16: .uInt16
    case .uint32: .uInt32
    case .uint64: .uInt64
    case .bool: .bool
    case .text: .text
    }
  }
}

/// A Parquet file that is open for reading; one thread at a time uses it.
///
/// A column is read in batches of 4 MiB, so what memory is taken depends on the file's pages and
/// not on its size.
public final class ParquetFile {
  /// A column: numbers or texts, or lists of them.
  public struct Column: Sendable, Equatable {
    /// Its name.
    public let name: String
    /// The type of its elements, inside lists too; nil for other types.
    public let type: ParquetType?
    /// Its type in Arrow's words.
    public let words: String
  }

  /// The file's path, for messages.
  public let path: String
  /// How many rows it has, fewer than 2⁴⁸.
  public let rows: Int
  /// Its columns, in order.
  public let columns: [Column]
  private let reader: CParquetReader

  /// Opens a file; reading takes no more than `memory` bytes at once.
  public init(_ path: String, memory: Int) throws(ParquetError) {
    guard let reader = cparquet_open(path, Int64(memory)) else { throw ParquetError(file: path) }
    self.path = path
    self.reader = reader
    rows = Int(min(max(cparquet_rows(reader), 0), 1 << 48))
    columns = (0..<cparquet_columns(reader)).map { place in
      let kind = cparquet_kind(reader, place)
      return Column(
        name: String(cString: cparquet_name(reader, place)),
        type: ParquetType.allCases.first { $0.kind == kind },
        words: String(cString: cparquet_words(reader, place)))
    }
  }

  deinit { cparquet_close(reader) }

  /// Copies a column of numbers, of which each row has `width`, to `target`, which takes just all
  /// rows.
  public func read(
    _ column: Int, width: Int, into target: UnsafeMutableRawBufferPointer
  ) throws(ParquetError) {
    guard rows > 0, let start = target.baseAddress else { return }
    guard cparquet_read(reader, Int32(column), Int64(width), Int64(rows), start) else {
      throw ParquetError(file: path)
    }
  }
}

/// A table in the making, and its bytes as a Parquet file, compressed by snappy.
public enum ParquetTable {
  /// A column to write.
  public struct Column {
    let name: String
    let type: ParquetType
    let width: Int
    let data: UnsafeRawBufferPointer
    let texts: [String]

    /// A column of numbers: in lists of `width`, or single if that is 0; `data` must stay until it
    /// is written.
    public init(_ name: String, _ type: ParquetType, width: Int, data: UnsafeRawBufferPointer) {
      (self.name, self.type, self.width, self.data, texts) = (name, type, width, data, [])
    }

    /// A column of texts, each in a list of its own if `inLists`.
    public init(_ name: String, texts: [String], inLists: Bool) {
      (self.name, type, width, self.texts) = (name, .text, inLists ? 1 : 0, texts)
      data = UnsafeRawBufferPointer(start: nil, count: 0)
    }
  }

  /// Calls `body` with the file that some columns make.
  ///
  /// - Parameters:
  ///   - columns: The columns.
  ///   - rows: Rows of each.
  ///   - metadata: What is put in the file's metadata besides.
  ///   - file: The file's path, for messages.
  ///   - body: What takes the file's bytes.
  /// - Returns: What `body` gives.
  /// - Throws: What `body` throws, or `ParquetError` if Arrow refuses the columns.
  public static func withBytes<Result, Failure: Error>(
    of columns: [Column], rows: Int, metadata: (key: String, value: String)? = nil, file: String,
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws -> Result {
    var names: [UnsafeMutablePointer<CChar>] = []
    var texts: [UnsafeMutablePointer<UnsafePointer<CChar>?>] = []
    func copied(_ text: String) -> UnsafeMutablePointer<CChar> {
      let bytes = text.utf8CString
      let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
      bytes.withUnsafeBufferPointer {
        if let base = $0.baseAddress { copy.initialize(from: base, count: bytes.count) }
      }
      names.append(copy)
      return copy
    }
    defer {
      for name in names { name.deallocate() }
      for list in texts { list.deallocate() }
    }
    var described: [CParquetColumn] = []
    for column in columns {
      var data = column.data.baseAddress
      if column.type == .text {
        let list = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(
          capacity: max(1, column.texts.count))
        texts.append(list)
        for (place, text) in column.texts.enumerated() {
          (list + place).initialize(to: UnsafePointer(copied(text)))
        }
        data = UnsafeRawPointer(list)
      }
      guard let data else { preconditionFailure("'\(column.name)' has elements") }
      described.append(
        CParquetColumn(
          name: UnsafePointer(copied(column.name)), kind: column.type.kind,
          width: Int64(column.width), data: data))
    }
    let (key, value) = (metadata.map { copied($0.key) }, metadata.map { copied($0.value) })
    guard
      let bytes = cparquet_write(described, Int32(described.count), Int64(rows), key, value)
    else { throw ParquetError(file: file) }
    defer { cparquet_free(bytes) }
    return try body(
      UnsafeRawBufferPointer(start: cparquet_bytes(bytes), count: Int(cparquet_byte_count(bytes))))
  }
}
