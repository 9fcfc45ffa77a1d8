import Foundation
import HDF5
import Parquet

/// Rows of several Parquet files of the same columns, one file after the other.
struct LeRobotRows {
  private let files: [ParquetFile]
  private let folder: URL
  private let options: FormatOptions
  /// Rows in all.
  let count: Int
  private let columns: [String: ParquetFile.Column]
  /// The names of the columns, sorted.
  var names: [String] { columns.keys.sorted() }

  /// Opens the files; there is one at least.
  init(_ urls: [URL], of folder: URL, _ options: FormatOptions) throws(StorageError) {
    self.folder = folder
    self.options = options
    guard let first = urls.first else {
      throw .missing(folder.appendingPathComponent("chunk-000/file-000.parquet").path)
    }
    guard urls.count <= 10_000 else {
      throw .malformed(folder.path, rule: "must have at most 10,000 files", found: "\(urls.count)")
    }
    var files: [ParquetFile] = []
    for url in urls {
      files.append(
        try LeRobotRows.said { () throws(ParquetError) in
          try ParquetFile(url.path, memory: options.maximumBytes)
        })
    }
    self.files = files
    count = files.reduce(0) { $0 + $1.rows }
    guard (1..<1 << 48).contains(count) else {
      throw .malformed(first.path, rule: "must have rows", found: "\(count)")
    }
    let all = files[0].columns
    for file in files where file.columns.map(\.name) != all.map(\.name) {
      throw .malformed(
        file.path, rule: "must have the columns of \(first.lastPathComponent)",
        found: shown(file.columns.map(\.name).joined(separator: ", ")))
    }
    columns = Dictionary(all.map { ($0.name, $0) }) { first, _ in first }
  }

  /// The type of a column's numbers; nil if it is of none, or there is no such column.
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
  ) throws(StorageError) -> TableColumn {
    guard let column = columns[name] else {
      throw .malformed(
        folder.path, rule: "must have a column '\(shown(name))'",
        found: shown(names.joined(separator: ", ")))
    }
    guard let type = type(of: name) else {
      throw .cannotConvert(
        folder.path, reason: "'\(shown(name))' must be of numbers, found \(shown(column.words))")
    }
    var bytes = count
    for factor in rowShape + [type.byteCount] {
      let (product, overflows) = bytes.multipliedReportingOverflow(by: factor)
      guard factor > 0, !overflows else {
        throw .malformed(folder.path, rule: "'\(shown(name))' must have rows", found: "\(rowShape)")
      }
      bytes = product
    }
    let memory = try options.scratchMemory(bytes, for: folder)
    let row = bytes / count
    var start = 0
    for file in files {
      let target = memory.scratchBytes[(start * row)..<((start + file.rows) * row)]
      guard let place = file.columns.firstIndex(where: { $0.name == name }),
        file.columns[place].type == column.type
      else {
        throw .malformed(
          file.path, rule: "'\(shown(name))' must be \(shown(column.words))", found: "another type")
      }
      do throws(ParquetError) {
        try file.read(
          place, width: rowShape.reduce(1, *), into: UnsafeMutableRawBufferPointer(rebasing: target)
        )
      } catch {
        throw .malformed(
          file.path, rule: "'\(shown(name))' must be read", found: shown(error.reason))
      }
      start += file.rows
    }
    return TableColumn(type, rowShape: rowShape, axis: axis, bytes: memory.bytes, owner: memory)
  }

  private static func said<Result>(
    _ body: () throws(ParquetError) -> Result
  ) throws(StorageError) -> Result {
    do { return try body() } catch {
      throw .malformed(error.file, rule: "must be a Parquet file", found: shown(error.reason))
    }
  }
}
