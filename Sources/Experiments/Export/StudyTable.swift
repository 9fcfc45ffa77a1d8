import Foundation
import Reporting
import Support

/// A table of a study, as CSV keeps it: a line of column names, then a line a row.
struct StudyTable: Sendable, Equatable {
  /// A row's cells by column; empty cells are left out.
  typealias Row = [String: String]

  /// Bytes of a file, at most.
  static let byteLimit = 1 << 24
  /// Rows, at most.
  static let rowLimit = 10_000
  /// Columns, at most.
  static let columnLimit = 500

  /// The columns, in the order of the file.
  var columns: [String]
  /// The rows.
  var rows: [Row] = []

  /// Reads a file; throws `ExperimentError.badSettings` for one that is no such table.
  static func read(_ file: URL) throws -> StudyTable {
    func fault(_ reason: String) -> ExperimentError {
      .badSettings(path: file.relativePath, reason: reason)
    }
    let data = try WholeFile.read(file, limit: byteLimit)
    guard let text = String(validating: data, as: UTF8.self) else {
      throw ExperimentError.damaged(path: file.path, reason: "must be a text in UTF-8")
    }
    let lines = text.split { $0 == "\n" || $0 == "\r\n" }
    guard let heads = lines.first.map(cells) else { throw fault("must have a line of columns") }
    guard heads.count <= columnLimit, lines.count <= rowLimit + 1 else {
      throw fault(
        "must have at most \(columnLimit) columns and \(rowLimit) rows, found \(heads.count) and "
          + "\(lines.count - 1)")
    }
    guard !heads.contains(""), Set(heads).count == heads.count else {
      throw fault("the first line must name each column once")
    }
    let rows = try lines.enumerated().dropFirst().map { number, line in
      let cells = cells(of: line)
      guard cells.count == heads.count else {
        throw fault("line \(number + 1) must have \(heads.count) cells, found \(cells.count)")
      }
      return Row(zip(heads, cells).filter { !$0.1.isEmpty }, uniquingKeysWith: { $1 })
    }
    return StudyTable(columns: heads, rows: rows)
  }

  /// Reads a file, or gives nil if it is not there.
  static func readIfThere(_ file: URL) throws -> StudyTable? {
    FileManager.default.fileExists(atPath: file.path) ? try read(file) : nil
  }

  /// Writes the table, whole or not at all.
  func write(to file: URL) throws {
    var table = Table(columns)
    table.rows = rows.map { row in columns.map { row[$0] ?? "" } }
    do {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    } catch {
      throw FileError.cannotWrite(file.path, reason: "its folder can't be made")
    }
    try WholeFile.write(Data(table.rendered(as: .csv).utf8), to: file)
  }

  /// Adds columns that are not there yet.
  mutating func add(columns more: [String]) {
    columns += more.uniqued.filter { !columns.contains($0) }
  }

  /// Adds rows; a row takes the place of one with the same key.
  mutating func merge(_ fresh: [Row], columns more: [String], by key: [String]) {
    add(columns: more)
    for row in fresh {
      if let place = rows.firstIndex(where: { Self.same($0, row, key) }) {
        rows[place] = row
      } else {
        rows.append(row)
      }
    }
  }

  /// Whether two rows have the same cells in some columns.
  static func same(_ one: Row, _ other: Row, _ columns: [String]) -> Bool {
    columns.allSatisfy { one[$0] == other[$0] }
  }

  /// The cells of a line of CSV, whose quotes are doubled within quotes.
  private static func cells(of line: Substring) -> [String] {
    var cells = [""]
    var isQuoted = false
    var last: Character?
    for character in line {
      switch character {
      case "\"":
        if !isQuoted, last == "\"" { cells[cells.count - 1].append("\"") }
        isQuoted.toggle()
      case "," where !isQuoted: cells.append("")
      default: cells[cells.count - 1].append(character)
      }
      last = character
    }
    return cells
  }
}

extension [String] {
  /// Each once, in the order of their first.
  var uniqued: [String] {
    var seen: Set<String> = []
    return filter { seen.insert($0).inserted }
  }
}

extension String {
  /// The text as a part of a file's name.
  var fileName: String {
    String(map { $0.isLetter || $0.isNumber || $0 == "-" ? $0 : "-" })
  }
}
