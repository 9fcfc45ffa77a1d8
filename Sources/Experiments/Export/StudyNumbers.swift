import Foundation
import Statistics
import Support

/// What the runs of a group come to in one measure: their mean, and its 95 % interval.
struct StudyLevel: Sendable, Equatable {
  /// Each run's value.
  var values: [Double]
  /// The interval; nil for one run of which nothing else is known.
  var interval: ClosedRange<Double>?

  var mean: Double { values.reduce(0, +) / Double(values.count) }
}

/// Rows of a study that are equal in some columns.
struct StudyGroup: Sendable {
  let labels: StudyTable.Row
  var rows: [StudyTable.Row]
}

/// A study's rows, curves and published numbers, and what they come to.
struct StudyNumbers: Sendable {
  let plan: StudyPlan
  let rows: [StudyTable.Row]
  /// The curves by their file's name, each in the order of its updates or steps.
  let curves: [String: StudyTable]
  /// Published numbers: columns of the group, `measure`, `value` and `source`.
  let published: [StudyTable.Row]
  /// Methods all of whose runs were evaluated just now have their interval from the episodes.
  var exact: @Sendable (_ group: StudyGroup, _ measure: String) -> Estimate? = { _, _ in nil }
  /// Names a row in errors.
  let path: String

  /// Rows of all curves together, at most.
  private static let curveLimit = 1_000_000

  /// Takes rows, and curves that are not written yet; reads the other curves and the published
  /// numbers of a folder.
  init(
    _ plan: StudyPlan, _ table: StudyTable, curves fresh: [String: StudyTable] = [:],
    in folder: URL
  ) throws {
    self.plan = plan
    path = folder.appendingPathComponent("runs.csv").relativePath
    rows = table.rows
    var curves = fresh
    var count = fresh.values.reduce(0) { $0 + $1.rows.count }
    for row in table.rows {
      guard let name = Self.curveName(row, plan), curves[name] == nil else { continue }
      let file = folder.appendingPathComponent("curves/\(name).csv")
      guard let curve = try StudyTable.readIfThere(file) else { continue }
      count += curve.rows.count
      guard count <= Self.curveLimit else {
        throw ExperimentError.badSettings(
          path: file.relativePath,
          reason: "the curves of a study must have at most \(Self.curveLimit) rows together")
      }
      curves[name] = curve
    }
    self.curves = curves
    let file = folder.appendingPathComponent("published.csv")
    published = try StudyTable.readIfThere(file)?.rows ?? []
    for (number, row) in published.enumerated() {
      let known = plan.group + ["measure", "value", "source"]
      guard row["measure"] != nil, let value = Double(row["value"] ?? ""), value.isFinite,
        row["source"] != nil, row.keys.allSatisfy(known.contains)
      else {
        throw ExperimentError.badSettings(
          path: file.relativePath,
          reason: "line \(number + 2) must have a measure, a finite value and a source, and else "
            + "columns of the group (\(plan.group.joined(separator: ", ")))")
      }
    }
    var seen: Set<[String]> = []
    for row in rows where !seen.insert(plan.key.map { row[$0] ?? "" }).inserted {
      throw fault(row, "stands there twice")
    }
  }

  /// The name of a row's curve: its own, or the plan's.
  static func curveName(_ row: StudyTable.Row, _ plan: StudyPlan) -> String? {
    guard let own = row["curve"] else { return plan.curveFile?.path(of: row) }
    return StudyPattern.isInside(own) ? own : nil
  }

  private func fault(_ row: StudyTable.Row, _ reason: String) -> ExperimentError {
    let name = plan.key.map { row[$0] ?? "" }.joined(separator: " ")
    return .badSettings(path: path, reason: "the row '\(InvalidValue.short(name))' \(reason)")
  }

  /// The rows that pass a filter, by some columns, in the order of the plan's names.
  func groups(
    by columns: [String], where filter: [String: [String]] = [:]
  ) -> [StudyGroup] {
    var found: [StudyGroup] = []
    var places: [StudyTable.Row: Int] = [:]
    for row in rows where StudyPlan.passes(row, filter) {
      let labels = row.filter { columns.contains($0.key) }
      if let place = places[labels] {
        found[place].rows.append(row)
      } else {
        places[labels] = found.count
        found.append(StudyGroup(labels: labels, rows: [row]))
      }
    }
    return found
  }

  /// A measure of a group; nil if no run has it.
  func level(_ name: String, of group: StudyGroup) throws -> StudyLevel? {
    let measure = plan.measure(name)
    let found = try group.rows.compactMap { row in
      try own(measure, row).map { (row: row, value: $0) }
    }
    guard !found.isEmpty else { return nil }
    let values = found.map(\.value.values[0])
    if let known = exact(group, name), values.count == group.rows.count {
      return StudyLevel(values: values, interval: known.low...known.high)
    }
    return try over(found.map { ($0.row, $0.value) }, measure)
  }

  /// A row's own value, with its own interval if it has one.
  private func own(_ measure: StudyPlan.MeasurePlan, _ row: StudyTable.Row) throws -> StudyLevel? {
    if let column = measure.curve {
      guard let name = Self.curveName(row, plan), let curve = curves[name] else { return nil }
      let values = try window(curve, column, measure, row)
      return values.isEmpty
        ? nil : StudyLevel(values: [values.reduce(0, +) / Double(values.count)])
    }
    return try value(measure, row, of: row)
  }

  /// A measure of a row of a table, checked.
  private func value(
    _ measure: StudyPlan.MeasurePlan, _ cells: StudyTable.Row, of row: StudyTable.Row
  ) throws -> StudyLevel? {
    guard cells[measure.name] != nil else { return nil }
    let names = [measure.name] + StudySource.ends(measure.name)
    let numbers = try names.map { name -> Double? in
      guard let cell = cells[name] else { return nil }
      // Rounding to four decimals may pass an end by half of the last one.
      guard let number = Double(cell), number.isFinite, number >= measure.range.lowerBound - 1e-4,
        number <= measure.range.upperBound + 1e-4
      else {
        throw fault(
          row,
          "must have \(name) in \(Self.words(measure.range)), found '\(InvalidValue.short(cell))'")
      }
      return min(max(number, measure.range.lowerBound), measure.range.upperBound)
    }
    guard let mean = numbers[0] else { return nil }
    guard let low = numbers[1], let high = numbers[2] else { return StudyLevel(values: [mean]) }
    guard low <= mean, mean <= high else {
      throw fault(row, "must have \(measure.name) within its interval, found \(mean) outside")
    }
    return StudyLevel(values: [mean], interval: low...high)
  }

  private static func words(_ range: ClosedRange<Double>) -> String {
    "\(range.lowerBound) to \(range.upperBound)"
  }

  /// The values of a curve over a measure's window; none if the curve does not reach its end.
  private func window(
    _ curve: StudyTable, _ column: String, _ measure: StudyPlan.MeasurePlan, _ row: StudyTable.Row
  ) throws -> [Double] {
    var inner = plan.measure(ofCurve: column)
    inner.range = measure.range
    var rows = curve.rows
    if let stretch = measure.stretch {
      guard let end = rows.last?[plan.x].flatMap(Double.init), end >= stretch.upperBound else {
        return []
      }
      rows = rows.filter { $0[plan.x].flatMap(Double.init).map(stretch.contains) ?? false }
    }
    if let last = measure.last { rows = Array(rows.suffix(last)) }
    return try rows.compactMap { try value(inner, $0, of: row)?.values[0] }
  }

  /// Runs' own values, their mean and its interval.
  private func over(
    _ runs: [(row: StudyTable.Row, own: StudyLevel)], _ measure: StudyPlan.MeasurePlan
  ) throws -> StudyLevel {
    let values = runs.map(\.own.values[0])
    guard runs.count > 1 else {
      return StudyLevel(values: values, interval: runs[0].own.interval)
    }
    let estimates = try runs.map { row, own in
      let value = own.values[0]
      if let interval = own.interval {
        return Estimate(
          estimate: value, low: interval.lowerBound, high: interval.upperBound, episodes: 1)
      }
      let episodes = measure.episodes ?? row["episodes"].flatMap(Int.init)
      if measure.isShare, let episodes, 1...1_000_000_000 ~= episodes {
        // A mean of several evaluations need be no whole number of successes.
        return Intervals.wilson(
          successes: Int((value * Double(episodes)).rounded()), of: episodes)
      }
      guard !measure.sharesStarts(row) else {
        throw fault(
          row,
          "shared its starts with others and has no interval of \(measure.name), nor is it a share "
            + "of known episodes: nothing says what starts do")
      }
      return Estimate(estimate: value, low: value, high: value, episodes: 1)
    }
    // Wilson's estimates are of whole successes: the mean is that of the values.
    let own = zip(values, estimates).map {
      Estimate(estimate: $0, low: $1.low, high: $1.high, episodes: $1.episodes)
    }
    let found = Intervals.overRuns(
      own, sharingStarts: measure.sharesStarts(runs[0].row), in: measure.range)
    return StudyLevel(values: values, interval: found.low...found.high)
  }

  /// A point of a group's curve.
  struct CurvePoint: Sendable {
    let x: Double
    let level: StudyLevel
  }

  /// A group's runs along the training, wherever all of them that have curves were measured.
  func curve(_ column: String, of group: StudyGroup) throws -> [CurvePoint] {
    let measure = plan.measure(ofCurve: column)
    var places: [Double: [(StudyTable.Row, StudyLevel)]] = [:]
    var count = 0
    for row in group.rows {
      guard let name = Self.curveName(row, plan), let curve = curves[name] else { continue }
      var isThere = false
      for point in curve.rows {
        guard let x = point[plan.x].flatMap(Double.init), x.isFinite,
          let value = try value(measure, point, of: row)
        else { continue }
        isThere = true
        places[x, default: []].append((row, value))
      }
      if isThere { count += 1 }
    }
    return try places.filter { $0.value.count == count }.sorted { $0.key < $1.key }.map {
      CurvePoint(x: $0.key, level: try over($0.value, measure))
    }
  }

  /// The published number of a group and where it was published.
  func published(_ measure: String, _ group: StudyGroup) -> (
    value: Double, text: String, source: String
  )? {
    published.first { row in
      row["measure"] == measure
        && plan.group.allSatisfy { row[$0] == nil || row[$0] == group.labels[$0] }
    }.flatMap { row in
      guard let text = row["value"], let value = Double(text) else { return nil }
      return (value, text, row["source"] ?? "")
    }
  }

  /// The fewest runs that anything is said of.
  static let leastRuns = 3

  /// What the interval over at least three runs says of a published number; nothing if either is
  /// not there.
  func verdict(_ measure: String, _ group: StudyGroup) throws -> String {
    guard let told = published(measure, group), let own = try level(measure, of: group),
      own.values.count >= Self.leastRuns, let interval = own.interval
    else { return "" }
    if interval.lowerBound > told.value { return "exceeded" }
    return told.value <= interval.upperBound ? "reproduced" : "below"
  }

  /// Whether the interval over at least three runs lies above or below that of the rival; nothing
  /// if they overlap.
  func apart(_ measure: String, _ group: StudyGroup, among groups: [StudyGroup]) throws -> String {
    let theirs = group.labels.merging(plan.rival) { $1 }
    guard theirs != group.labels, let rival = groups.first(where: { $0.labels == theirs }),
      let (ours, other) = try pair(measure, group, rival)
    else { return "" }
    return ours.lowerBound > other.upperBound
      ? "above" : ours.upperBound < other.lowerBound ? "below" : ""
  }

  private func pair(
    _ measure: String, _ one: StudyGroup, _ other: StudyGroup
  ) throws -> (ClosedRange<Double>, ClosedRange<Double>)? {
    let both = try [one, other].compactMap { group -> ClosedRange<Double>? in
      guard let found = try level(measure, of: group), found.values.count >= Self.leastRuns else {
        return nil
      }
      return found.interval
    }
    return both.count == 2 ? (both[0], both[1]) : nil
  }
}
