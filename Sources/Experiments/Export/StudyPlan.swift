import Foundation
import GoalCore

/// `study.yaml`: how a study's rows are told apart, grouped, measured, laid out and drawn.
///
///     key: [task, method, seed]        # the columns that tell a run from others
///     group: [task, method]            # the columns over whose equal rows a mean is taken
///     rival: {method: wgcsl}           # what `apart` columns hold the others against
///     runs:                            # names of result files; the first that fits counts
///       - {file: "{task}-{method}-s{seed}.json"}
///     names:                           # values of a column in their order, in words
///       method: [wgcsl: WGCSL, her: DDPG with HER]
///     measures:
///       - {name: return49, range: [0, 49], digits: 2}
///       - {name: end, curve: success49, last: 10, range: [0, 1], shared: true, episodes: 50}
///     curves: {file: "{task}-{method}-s{seed}", x: updates}
///     tables:
///       - {name: results, columns: [name: task, name: method, mean: return49, count: seeds]}
///     figures:
///       - {name: returns, levels: return49, panel: [task], line: [method]}
struct StudyPlan: Sendable {
  /// A column's values in words.
  struct Name: Sendable {
    let value: String
    let words: String
  }

  /// How files of results are called, and what else is known of them.
  struct Results: Sendable {
    /// The end of their paths, with columns in braces.
    var file: StudyPattern
    /// Cells that all of them have.
    var constants: StudyTable.Row = [:]
    /// What goes before the names of measures.
    var prefix = ""
    /// The run that a file is of, beside it; the one that it names if empty.
    var run = ""
    /// The file beside it that has evaluations of the run's checkpoints; none if empty.
    var curve = ""
    /// The file beside it with the settings that were asked for; `.yaml` in the place of `.json` if
    /// empty.
    var asked = ""
  }

  /// What is measured of a row.
  struct MeasurePlan: Sendable {
    var name: String
    /// What it can be.
    var range: ClosedRange<Double> = -.infinity ... .infinity
    /// Decimals in tables; three significant places or so if nil.
    var digits: Int?
    /// The rows whose runs were all evaluated on the same starts, by their cells; nil for none.
    var sharing: [String: [String]]?
    /// Episodes that a share is of; those of the row if nil.
    var episodes: Int?
    /// The column of the curve that it is a mean of; nil if it is a column of the row.
    var curve: String?
    /// How many of the curve's last evaluations.
    var last: Int?
    /// Or from where to where along the curve.
    var stretch: ClosedRange<Double>?

    /// Whether it is a share.
    var isShare: Bool { range == 0...1 }

    /// Whether all runs of a row's group were evaluated on the same starts.
    func sharesStarts(_ row: StudyTable.Row) -> Bool {
      sharing.map { StudyPlan.passes(row, $0) } ?? false
    }
  }

  /// What a column of a table shows.
  enum Shown: String, CaseIterable, Sendable {
    /// A column of the group, in words.
    case name
    /// A column of the rows, as it is.
    case text
    /// How many runs there are.
    case count
    /// A measure's mean and its interval.
    case mean
    /// A measure of each run.
    case each
    /// The published value of a measure.
    case published
    /// Where it was published, or what was said of it.
    case source
    /// What the interval says of the published value.
    case verdict
    /// What two intervals say of a group beside its rival.
    case apart
    /// The highest point of the curve of a measure.
    case highest
  }

  /// A column of a table.
  struct Column: Sendable {
    var shown: Shown
    var of: String
    var head: String
    var digits: Int?
    var scale = 1.0
    var hasInterval = true
  }

  /// A table, or a figure: what it takes of the rows.
  struct Part: Sendable {
    var name: String
    /// Values that rows must have by column.
    var filter: [String: [String]] = [:]
    /// The columns of a table.
    var columns: [Column] = []
    /// What a figure draws.
    var drawing = Drawing.curves
    var measure = ""
    /// The columns that tell panels and lines apart.
    var panel: [String] = []
    var line: [String] = []
    /// The measure whose published value is drawn; none if empty.
    var published = ""
    /// What the published value is called.
    var publishedName = "published"
    var caption = ""
  }

  /// Kinds of figures.
  enum Drawing: String, CaseIterable, Sendable {
    /// Means over runs along the training, with their band.
    case curves
    /// Means with their intervals beside each other.
    case levels
    /// The share of runs above a value.
    case profile
  }

  var key: [String]
  var group: [String]
  var rival: StudyTable.Row = [:]
  var runs: [Results] = []
  var names: [String: [Name]] = [:]
  var measures: [MeasurePlan] = []
  /// The files of curves, without `.csv`; nil if the study has none.
  var curveFile: StudyPattern?
  /// What stands along a curve.
  var x = "updates"
  /// Columns of a run's metrics that its curve takes over.
  var metrics: [String] = []
  var tables: [Part] = []
  var figures: [Part] = []

  /// What is known of a measure: what the plan says, or else what its name does.
  func measure(_ name: String) -> MeasurePlan {
    if let found = measures.first(where: { $0.name == name }) { return found }
    return MeasurePlan(name: name, range: Self.range(ofMeasure: name))
  }

  /// What is known of a column of the curves.
  func measure(ofCurve name: String) -> MeasurePlan {
    var found = measures.first { $0.curve == name } ?? measure(name)
    (found.name, found.curve, found.last, found.stretch) = (name, nil, nil, nil)
    return found
  }

  /// What a measure of one of our names can be in any world: anything, for other names.
  static func range(ofMeasure name: String) -> ClosedRange<Double> {
    switch Measure(name: name) {
    case .success, .successBeforeLast: 0...1
    case nil: -.infinity ... .infinity
    default: 0 ... .infinity
    }
  }

  /// A column's value in words.
  func words(_ value: String, of column: String) -> String {
    names[column]?.first { $0.value == value }?.words ?? value
  }

  /// The words of a row's cells in some columns.
  func words(_ row: StudyTable.Row, _ columns: [String]) -> String {
    columns.compactMap { column in row[column].map { words($0, of: column) } }
      .filter { !$0.isEmpty }.joined(separator: ", ")
  }

  /// Whether a row has the values of a filter.
  static func passes(_ row: StudyTable.Row, _ filter: [String: [String]]) -> Bool {
    filter.allSatisfy { column, values in values.contains(row[column] ?? "") }
  }

  /// Whether a row comes before another: by the order of names, numbers by size, other text by its
  /// letters.
  func precedes(_ one: StudyTable.Row, _ other: StudyTable.Row) -> Bool {
    for column in group + key {
      let (a, b) = (one[column] ?? "", other[column] ?? "")
      guard a != b else { continue }
      let names = names[column] ?? []
      let places = [a, b].map { value in names.firstIndex { $0.value == value } ?? names.count }
      if places[0] != places[1] { return places[0] < places[1] }
      if let x = Double(a), let y = Double(b), x != y { return x < y }
      return a < b
    }
    return false
  }
}

/// A path with columns in braces, such as `{task}-s{seed}`.
struct StudyPattern: Sendable, Equatable {
  /// Text, or a column.
  private enum Piece: Sendable, Equatable {
    case text(String)
    case column(String)
  }

  private let pieces: [Piece]
  let text: String

  /// Reads a pattern; nil if its braces are not pairs about names.
  init?(_ text: String) {
    self.text = text
    var pieces: [Piece] = []
    var rest = text[...]
    while let open = rest.firstIndex(where: { "{}".contains($0) }) {
      guard rest[open] == "{", let close = rest[open...].firstIndex(of: "}") else { return nil }
      let name = String(rest[rest.index(after: open)..<close])
      guard !name.isEmpty, name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }),
        !pieces.contains(.column(name))
      else { return nil }
      if open > rest.startIndex { pieces.append(.text(String(rest[..<open]))) }
      pieces.append(.column(name))
      rest = rest[rest.index(after: close)...]
    }
    if !rest.isEmpty { pieces.append(.text(String(rest))) }
    self.pieces = pieces
  }

  /// The columns in it.
  var columns: [String] {
    pieces.compactMap { if case .column(let name) = $0 { name } else { nil } }
  }

  /// The cells that make a path end so; nil if it does not.
  ///
  /// A column with names has one of their values, unless `*` is among them.
  func cells(of path: String, names: [String: [StudyPlan.Name]]) -> StudyTable.Row? {
    let quoted = pieces.map { piece in
      switch piece {
      case .text(let text): return NSRegularExpression.escapedPattern(for: text)
      case .column("seed"): return "([0-9]+)"
      case .column(let name):
        let known = (names[name] ?? []).map(\.value).sorted { $0.count > $1.count }
        return known.isEmpty || known.contains("*")
          ? "([^/]+)"
          : "(" + known.map(NSRegularExpression.escapedPattern).joined(separator: "|") + ")"
      }
    }
    guard
      let expression = try? NSRegularExpression(pattern: "(?:^|/)" + quoted.joined() + "$"),
      let found = expression.firstMatch(
        in: path, range: NSRange(path.startIndex..., in: path))
    else { return nil }
    var row: StudyTable.Row = [:]
    for (number, name) in columns.enumerated() {
      guard let range = Range(found.range(at: number + 1), in: path) else { return nil }
      row[name] = String(path[range])
    }
    return row
  }

  /// The path of a row; nil if it lacks a cell, or the path would lead elsewhere.
  func path(of row: StudyTable.Row) -> String? {
    var path = ""
    for piece in pieces {
      switch piece {
      case .text(let text): path += text
      case .column(let name):
        guard let cell = row[name] else { return nil }
        path += cell
      }
    }
    return Self.isInside(path) ? path : nil
  }

  /// Whether a path leads to a file in its folder or below.
  static func isInside(_ path: String) -> Bool {
    !path.isEmpty && !path.hasPrefix("/") && !path.contains("\0")
      && !path.split(separator: "/").contains("..")
  }
}
