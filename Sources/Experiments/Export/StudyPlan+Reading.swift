import Foundation
import GoalCore
import Support

extension StudyPlan {
  /// Reads a `study.yaml`; throws `ExperimentError.badSettings` for the first thing in it that is
  /// none of this.
  init(contentsOf file: URL) throws {
    let all = try Fields(
      .object(RunConfiguration.yaml(file)), file.relativePath, "",
      ["key", "group", "rival", "runs", "names", "measures", "curves", "tables", "figures"])
    key = try all.texts("key")
    group = try all.texts("group")
    guard !key.isEmpty, !group.isEmpty else {
      throw all.fault("'key' and 'group' must each name a column")
    }
    if let odd = group.first(where: { !key.contains($0) }) {
      throw all.fault("'group' must have columns of 'key' only, found '\(odd)'")
    }
    rival = try all.cells("rival")
    runs = try all.parts("runs", ["file", "with", "prefix", "run", "curve", "asked"]).map { part in
      Results(
        file: try part.pattern("file"), constants: try part.cells("with"),
        prefix: try part.text("prefix") ?? "", run: try part.inside("run"),
        curve: try part.inside("curve"), asked: try part.inside("asked"))
    }
    names = try all.names("names")
    measures = try all.parts("measures", Self.measureKeys).map { try $0.measure() }
    var known: Set<String> = []
    if let again = measures.map(\.name).first(where: { !known.insert($0).inserted }) {
      throw all.fault("'measures' must name each measure once, found '\(again)' twice")
    }
    if let part = try all.part("curves", ["file", "x", "metrics"]) {
      curveFile = try part.pattern("file")
      x = try part.text("x") ?? x
      metrics = try part.texts("metrics")
    }
    tables = try all.parts("tables", ["name", "where", "columns"]).map { part in
      let columns = try part.parts("columns", Column.keys).map { try $0.column() }
      guard !columns.isEmpty else { throw part.fault("must have columns") }
      return Part(
        name: try part.name("name"), filter: try part.filter("where"), columns: columns)
    }
    figures = try all.parts("figures", Self.figureKeys).map { try $0.figure() }
    let parts = (tables + figures).map(\.name)
    guard Set(parts).count == parts.count else {
      throw all.fault("tables and figures must have names of their own")
    }
    guard tables.count + figures.count > 0 else { throw all.fault("must have tables or figures") }
  }

  private static let measureKeys = [
    "name", "range", "digits", "shared", "episodes", "curve", "last", "from", "to",
  ]
  private static let figureKeys =
    Drawing.allCases.map(\.rawValue) + [
      "name", "where", "panel", "line", "published", "published_name", "caption",
    ]

  /// Values by name of a part of a `study.yaml`, each checked when it is asked for.
  fileprivate struct Fields {
    /// Items of a list, at most.
    static let most = 1_000
    /// Characters of a text, at most.
    static let longest = 1_000

    let values: [String: JSONValue]
    let path: String
    let place: String

    /// Takes an object that has no other keys than these.
    init(_ value: JSONValue, _ path: String, _ place: String, _ known: [String]) throws {
      (self.path, self.place) = (path, place)
      guard case .object(let values) = value else {
        self.values = [:]
        throw fault("must hold values by name")
      }
      self.values = values
      if let odd = values.keys.sorted().first(where: { !known.isEmpty && !known.contains($0) }) {
        throw fault(NearNames.complaint("key", odd, among: known))
      }
    }

    func fault(_ reason: String) -> ExperimentError {
      .badSettings(path: path, reason: place.isEmpty ? reason : "\(place): \(reason)")
    }

    /// A text, a number or a truth as text.
    private func text(_ value: JSONValue, _ key: String) throws -> String {
      let text: String
      switch value {
      case .text(let own): text = own
      case .integer, .number, .truth: text = value.description
      default: throw fault("'\(key)' must be text, found \(InvalidValue.short(value.description))")
      }
      guard text.count <= Self.longest else {
        throw fault("'\(key)' must have at most \(Self.longest) characters, found \(text.count)")
      }
      return text
    }

    func text(_ key: String) throws -> String? {
      guard let value = values[key] else { return nil }
      return try text(value, key)
    }

    /// A list; one value stands for a list of it.
    private func list(_ key: String) throws -> [JSONValue] {
      guard let value = values[key] else { return [] }
      guard case .list(let all) = value else { return [value] }
      guard all.count <= Self.most else {
        throw fault("'\(key)' must have at most \(Self.most) items, found \(all.count)")
      }
      return all
    }

    func texts(_ key: String) throws -> [String] { try list(key).map { try text($0, key) } }

    /// A name that can be a file's and a mark's.
    func name(_ key: String) throws -> String {
      let name = try text(key) ?? ""
      let isPlain = name.utf8.allSatisfy {
        UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0
          || $0 == UInt8(ascii: "-")
      }
      guard 1...60 ~= name.count, isPlain else {
        throw fault(
          "'\(key)' must be 1 to 60 of a-z, 0-9 and -, found '\(InvalidValue.short(name))'")
      }
      return name
    }

    /// A path that stays where it is; empty if not given.
    func inside(_ key: String) throws -> String {
      let path = try text(key) ?? ""
      guard path.isEmpty || StudyPattern.isInside(path) else {
        throw fault("'\(key)' must be a path within the folder, found '\(path)'")
      }
      return path
    }

    func pattern(_ key: String) throws -> StudyPattern {
      let path = try inside(key)
      guard let pattern = StudyPattern(path), !path.isEmpty else {
        throw fault("'\(key)' must be a path with columns in braces, found '\(path)'")
      }
      return pattern
    }

    /// Texts by column.
    func cells(_ key: String) throws -> StudyTable.Row {
      guard let value = values[key] else { return [:] }
      let inner = try Fields(value, path, key, [])
      return try inner.values.mapValues { try text($0, key) }
    }

    /// Lists of texts by column.
    func filter(_ key: String) throws -> [String: [String]] {
      guard let value = values[key] else { return [:] }
      let inner = try Fields(value, path, key, [])
      return try Dictionary(
        uniqueKeysWithValues: inner.values.keys.map { ($0, try inner.texts($0)) })
    }

    /// Values in words by column.
    func names(_ key: String) throws -> [String: [Name]] {
      guard let value = values[key] else { return [:] }
      let columns = try Fields(value, path, key, [])
      return try Dictionary(
        uniqueKeysWithValues: columns.values.keys.map { column in
          let all = try columns.list(column).map { item in
            guard case .object(let pair) = item else {
              let own = try columns.text(item, column)
              return Name(value: own, words: own)
            }
            guard pair.count == 1, let one = pair.first else {
              throw columns.fault("'\(column)' must have items such as 'value: words'")
            }
            return Name(value: one.key, words: try columns.text(one.value, column))
          }
          return (column, all)
        })
    }

    func part(_ key: String, _ known: [String]) throws -> Fields? {
      try values[key].map { try Fields($0, path, within(key), known) }
    }

    func parts(_ key: String, _ known: [String]) throws -> [Fields] {
      try list(key).enumerated().map {
        try Fields($1, path, within("\(key), item \($0 + 1)"), known)
      }
    }

    private func within(_ key: String) -> String { place.isEmpty ? key : "\(place), \(key)" }

    func number(_ key: String, in range: ClosedRange<Double>) throws -> Double? {
      let found: Double
      switch values[key] {
      case nil: return nil
      case .integer(let value)?: found = Double(value)
      case .number(let value)?: found = value
      case let value?: throw fault("'\(key)' must be a number, found \(value)")
      }
      guard range.contains(found) else {
        throw fault(
          "'\(key)' must be from \(range.lowerBound) to \(range.upperBound), found \(found)")
      }
      return found
    }

    func whole(_ key: String, in range: ClosedRange<Int>) throws -> Int? {
      guard let value = values[key] else { return nil }
      guard let found = value.integer, range ~= found else {
        throw fault(
          "'\(key)' must be a whole number from \(range.lowerBound) to \(range.upperBound), "
            + "found \(value)")
      }
      return found
    }

    func truth(_ key: String, or usual: Bool) throws -> Bool {
      switch values[key] {
      case nil: return usual
      case .truth(let value)?: return value
      case let value?:
        throw fault(
          "'\(key)' must be true or false, found \(InvalidValue.short(value.description))")
      }
    }

    func measure() throws -> MeasurePlan {
      guard let name = try text("name"), !name.isEmpty else { throw fault("must have a 'name'") }
      var measure = MeasurePlan(name: name, range: StudyPlan.range(ofMeasure: name))
      if values["range"] != nil {
        let ends = try list("range").map { value -> Double in
          switch value {
          case .integer(let end): return Double(end)
          case .number(let end): return end
          case .null: return .infinity
          default: throw fault("'range' must be [low, high], found \(value)")
          }
        }
        guard ends.count == 2, ends[0].isFinite, ends[0] < ends[1] else {
          throw fault("'range' must be [low, high], high being null for no end")
        }
        measure.range = ends[0]...ends[1]
      }
      measure.digits = try whole("digits", in: 0...6)
      if case .object? = values["shared"] {
        measure.sharing = try filter("shared")
      } else if try truth("shared", or: false) {
        measure.sharing = [:]
      }
      measure.episodes = try whole("episodes", in: 1...1_000_000_000)
      measure.curve = try text("curve")
      measure.last = try whole("last", in: 1...10_000)
      let steps = 0...Double(SizeLimit.steps)
      let ends = (try number("from", in: steps), try number("to", in: steps))
      if let from = ends.0, let to = ends.1 {
        guard from <= to else { throw fault("'from' must not lie beyond 'to'") }
        measure.stretch = from...to
      }
      let windows = (measure.last == nil ? 0 : 1) + (measure.stretch == nil ? 0 : 1)
      let isWhole = (ends.0 == nil) == (ends.1 == nil)
      guard isWhole, windows == (measure.curve == nil ? 0 : 1) else {
        throw fault("'curve' takes 'last', or 'from' and 'to'")
      }
      return measure
    }

    func column() throws -> Column {
      let kinds = Shown.allCases.filter { values[$0.rawValue] != nil }
      guard kinds.count == 1 else {
        throw fault(
          "must have one of \(Shown.allCases.map(\.rawValue).joined(separator: ", ")), found "
            + "\(kinds.count)")
      }
      let of = try text(kinds[0].rawValue) ?? ""
      return Column(
        shown: kinds[0], of: of, head: try text("head") ?? of,
        digits: try whole("digits", in: 0...6),
        scale: try number("scale", in: 1e-9...1e9) ?? 1,
        hasInterval: try truth("interval", or: true))
    }

    func figure() throws -> Part {
      let kinds = Drawing.allCases.filter { values[$0.rawValue] != nil }
      guard kinds.count == 1 else {
        throw fault(
          "must have one of \(Drawing.allCases.map(\.rawValue).joined(separator: ", ")), found "
            + "\(kinds.count)")
      }
      return Part(
        name: try name("name"), filter: try filter("where"), drawing: kinds[0],
        measure: try text(kinds[0].rawValue) ?? "", panel: try texts("panel"),
        line: try texts("line"), published: try text("published") ?? "",
        publishedName: try text("published_name") ?? "published",
        caption: try text("caption") ?? "")
    }
  }
}

extension StudyPlan.Column {
  fileprivate static let keys =
    StudyPlan.Shown.allCases.map(\.rawValue) + ["head", "digits", "scale", "interval"]
}
