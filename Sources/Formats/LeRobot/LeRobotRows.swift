import Foundation
import HDF5
import Parquet
import Storage
import Support

/// Rows of several Parquet files of the same columns, one file after the other.
///
/// A file is open only while one of its columns is read.
struct LeRobotRows: Sendable {
  private struct Part: Sendable {
    let url: URL
    let rows: Int
  }

  private let parts: [Part]
  private let folder: URL
  private let options: FormatOptions
  /// Rows in all.
  let count: Int
  private let columns: [String: ParquetFile.Column]
  /// The names of the columns, sorted.
  var names: [String] { columns.keys.sorted() }

  /// The maximum memory that Arrow takes for pages and batches; writers make pages of 1 MB.
  private static let memory = 256 << 20

  /// Looks at the files; there is one at least.
  init(_ urls: [URL], of folder: URL, _ options: FormatOptions) throws(FileError) {
    self.folder = folder
    self.options = options
    guard let first = urls.first else {
      throw .missing(folder.appendingPathComponent("chunk-000/file-000.parquet").path)
    }
    guard urls.count <= 10_000 else {
      throw .malformed(folder.path, rule: "must have at most 10,000 files", found: "\(urls.count)")
    }
    var parts: [Part] = []
    var columns: [ParquetFile.Column] = []
    var count = 0
    for url in urls {
      let file = try LeRobotRows.open(url)
      if parts.isEmpty { columns = file.columns }
      guard file.columns == columns else {
        throw .malformed(
          url.path, rule: "must have the columns of \(first.lastPathComponent)",
          found: shown(file.columns.map { "\($0.name): \($0.words)" }, atMost: 6))
      }
      parts.append(Part(url: url, rows: file.rows))
      count += file.rows
    }
    guard (1..<1 << 48).contains(count) else {
      throw .malformed(folder.path, rule: "must have rows", found: "\(count)")
    }
    self.parts = parts
    self.count = count
    self.columns = Dictionary(columns.map { ($0.name, $0) }) { first, _ in first }
    guard self.columns.count == columns.count else {
      throw .malformed(
        first.path, rule: "must have columns of different names",
        found: shown(columns.map(\.name), atMost: 12))
    }
  }

  /// The type of a column's numbers; nil if it holds none, or is missing.
  func type(of name: String) -> HDF5Type? {
    columns[name]?.type.flatMap { HDF5Type(rawValue: $0.rawValue) }
  }

  /// Whether a column is of floats.
  func isFloat(_ name: String) -> Bool { [.float32, .float64].contains(type(of: name)) }

  /// A column's type in words.
  func words(of name: String) -> String { columns[name]?.words ?? "missing" }

  /// A column of numbers, unpacked to scratch memory; a row must have `rowShape`.
  func column(
    _ name: String, rowShape: [Int], axis: RowAxis
  ) throws(FileError) -> TableColumn {
    guard columns[name] != nil else {
      throw .malformed(
        folder.path, rule: "must have a column '\(shown(name))'",
        found: shown(names, atMost: 12))
    }
    guard let type = type(of: name) else {
      throw .cannotConvert(
        folder.path, reason: "'\(shown(name))' must be of numbers, found \(shown(words(of: name)))")
    }
    var row = type.byteCount
    var bytes = 0
    for factor in rowShape + [count] {
      let (product, overflows) = row.multipliedReportingOverflow(by: factor)
      guard factor > 0, !overflows else {
        throw .malformed(
          folder.path, rule: "'\(shown(name))' must have fewer than 2⁶³ bytes",
          found: "\(count) rows of shape \(rowShape)")
      }
      (bytes, row) = (product, product)
    }
    row = bytes / count
    let memory = try options.scratchMemory(bytes, for: folder)
    var start = 0
    for part in parts where part.rows > 0 {
      let target = memory.scratchBytes[(start * row)..<((start + part.rows) * row)]
      let file = try LeRobotRows.open(part.url)
      guard file.rows == part.rows, let place = file.columns.firstIndex(where: { $0.name == name }),
        file.columns[place] == columns[name]
      else {
        throw .malformed(
          part.url.path, rule: "must stay as it is while it is read", found: "another")
      }
      do throws(ParquetError) {
        try file.read(
          place, width: rowShape.reduce(1, *), into: UnsafeMutableRawBufferPointer(rebasing: target)
        )
      } catch {
        throw .cannotConvert(
          part.url.path, reason: "'\(shown(name))' cannot be read: \(shown(error.reason))")
      }
      start += part.rows
    }
    return TableColumn(type, rowShape: rowShape, axis: axis, bytes: memory.bytes, owner: memory)
  }

  private static func open(_ url: URL) throws(FileError) -> ParquetFile {
    // Arrow would wait for the writer of a named pipe.
    _ = try WholeFile.first(1, of: url)
    do throws(ParquetError) { return try ParquetFile(url.path, memory: memory) } catch {
      throw .malformed(error.file, rule: "must be a Parquet file", found: shown(error.reason))
    }
  }
}
