import Foundation
import Reporting
import Statistics
import Storage
import Support

/// A row of a study's `runs.csv`: one measure of one run at one time.
struct StudyRow: Sendable, Equatable {
  /// When it was measured.
  enum Kind: String, Sendable {
    /// While training, on the evaluation's episodes of the run.
    case training
    /// When the study was exported, all runs on the same episodes.
    case final
  }

  var run: String
  var method: String
  var environment: String
  var learner: String
  var seed: UInt64
  /// The commit of the code that trained it; empty if it is not known.
  var commit: String
  /// The first twelve digits of the SHA-256 of the configuration.
  var configuration: String
  var kind: Kind
  var updates: Int
  var measure: String
  var estimate: Double
  var low: Double
  var high: Double
  var episodes: Int

  /// The identity of a finished run, wherever it was made.
  var key: String { "\(environment) \(configuration) \(seed)" }

  static let heads = [
    "run", "method", "environment", "learner", "seed", "commit", "configuration", "kind",
    "updates", "measure", "estimate", "low", "high", "episodes",
  ]

  var cells: [String] {
    [
      run, method, environment, learner, "\(seed)", commit, configuration, kind.rawValue,
      "\(updates)", measure, "\(estimate)", "\(low)", "\(high)", "\(episodes)",
    ]
  }

  var value: Estimate { Estimate(estimate: estimate, low: low, high: high, episodes: episodes) }
}

extension StudyRow {
  /// Reads a row's cells; nil if they are malformed.
  init?(_ cells: [String]) {
    guard cells.count == Self.heads.count, let seed = UInt64(cells[4]),
      let kind = Kind(rawValue: cells[7]), let updates = Int(cells[8]),
      let estimate = Double(cells[10]), let low = Double(cells[11]),
      let high = Double(cells[12]), let episodes = Int(cells[13])
    else { return nil }
    self.init(
      run: cells[0], method: cells[1], environment: cells[2], learner: cells[3], seed: seed,
      commit: cells[5], configuration: cells[6], kind: kind, updates: updates, measure: cells[9],
      estimate: estimate, low: low, high: high, episodes: episodes)
  }

  /// Reads `runs.csv`; throws `ExperimentError.badSettings` for a file that Goalpost did not write.
  static func read(_ file: URL) throws -> [StudyRow] {
    guard FileManager.default.fileExists(atPath: file.path) else { return [] }
    let lines = try textOf(file).split(separator: "\n").map { cells(of: $0) }
    guard lines.first == heads else {
      throw ExperimentError.badSettings(
        path: file.relativePath,
        reason: "the first line must be \(heads.joined(separator: ","))")
    }
    return try lines.enumerated().dropFirst().map { number, cells in
      guard let row = StudyRow(cells) else {
        throw ExperimentError.badSettings(
          path: file.relativePath, reason: "line \(number + 1) is no row of a study")
      }
      return row
    }
  }

  /// Writes `runs.csv`.
  static func write(_ rows: [StudyRow], to file: URL) throws {
    var table = Table(heads)
    table.rows = rows.map(\.cells)
    try WholeFile.write(Data(table.rendered(as: .csv).utf8), to: file)
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

/// The text of a file that is there; throws `FileError` if it cannot be read, and
/// `ExperimentError.damaged` if it is no text.
func textOf(_ file: URL) throws -> String {
  guard let text = String(validating: try WholeFile.read(file), as: UTF8.self) else {
    throw ExperimentError.damaged(path: file.path, reason: "must be a text in UTF-8")
  }
  return text
}
