import Foundation
import GoalCore
import Statistics
import Storage
import Support

/// Bands that results must lie in, each with where it comes from.
public struct Bands: Sendable {
  /// A band; a missing end is open.
  struct Band: Decodable, Sendable {
    let low: Double?
    let high: Double?
    let source: String?

    enum CodingKeys: String, CodingKey, CaseIterable { case low, high, source }

    init(from decoder: any Decoder) throws {
      if let odd = try Name.all(in: decoder).first(where: { CodingKeys(stringValue: $0) == nil }) {
        throw Fault("has '\(odd)' in a band, which takes low, high and source")
      }
      let container = try decoder.container(keyedBy: CodingKeys.self)
      low = try container.decodeIfPresent(Double.self, forKey: .low)
      high = try container.decodeIfPresent(Double.self, forKey: .high)
      source = try container.decodeIfPresent(String.self, forKey: .source)
    }
  }

  /// A band, or a section with bands of its own.
  private enum Entry: Decodable {
    case band(Band)
    case section([String: Band])

    init(from decoder: any Decoder) throws {
      let names = try Name.all(in: decoder)
      let isBand = names.isEmpty || names.contains { Band.CodingKeys(stringValue: $0) != nil }
      self = isBand ? .band(try Band(from: decoder)) : .section(try [String: Band](from: decoder))
    }
  }

  /// Any key of an object.
  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }

    static func all(in decoder: any Decoder) throws -> [String] {
      try decoder.container(keyedBy: Name.self).allKeys.map(\.stringValue).sorted()
    }
  }

  /// An error in a file's content.
  private struct Fault: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
  }

  private let bands: [String: Band]

  /// Reads a file such as `{"success": {"low": 0.85, "source": "..."}}`, or a section of one:
  /// `expected.json:fetch-reach` of `{"fetch-reach": {"success": {"low": 0.85}}}`.
  ///
  /// Throws `ExperimentError.badSettings` if the file or the section is missing, if it holds
  /// anything else, and if a band is empty or has no end.
  public init(_ text: String) throws {
    var (path, section) = (text, String?.none)
    if !FileManager.default.fileExists(atPath: path), let colon = text.lastIndex(of: ":") {
      (path, section) = (String(text[..<colon]), String(text[text.index(after: colon)...]))
    }
    func fault(_ reason: String) -> ExperimentError { .badSettings(path: path, reason: reason) }
    guard let data = try? WholeFile.read(URL(fileURLWithPath: path)) else {
      throw fault("the file of bands is missing or can't be read")
    }
    do {
      bands = try Self.chosen(
        section, of: JSONDecoder().decode([String: Entry].self, from: data))
    } catch let found as Fault {
      throw fault(found.reason)
    } catch {
      throw fault(#"must be bands by name, as in {"success": {"low": 0.85, "source": "..."}}"#)
    }
  }

  private static func chosen(
    _ section: String?, of entries: [String: Entry]
  ) throws -> [String: Band] {
    var (plain, sections) = ([String: Band](), [String: [String: Band]]())
    for (name, entry) in entries {
      switch entry {
      case .band(let band): plain[name] = band
      case .section(let bands): sections[name] = bands
      }
    }
    let names = sections.keys.sorted()
    var bands = plain
    if let section {
      guard let found = sections[section] else {
        throw Fault(NearNames.complaint("section", section, among: names))
      }
      bands = found
    } else if !sections.isEmpty {
      throw Fault("has sections: choose one of \(names.joined(separator: ", ")) by FILE:SECTION")
    }
    guard !bands.isEmpty else { throw Fault("must hold a band, found none") }
    for (name, band) in bands.sorted(by: { $0.key < $1.key }) {
      guard band.low != nil || band.high != nil else {
        throw Fault("the band of \(name) must have low, high or both")
      }
      guard (band.low ?? -.infinity) <= (band.high ?? .infinity) else {
        throw Fault("the band of \(name) must not end below its start, found it \(band.text)")
      }
    }
    return bands
  }

  /// Says which results lie in their bands; throws `ExperimentError.outsideBand` with those that do
  /// not.
  public func check(_ comparison: Comparison) throws -> [String] {
    try check(
      comparison.entries.map { entry in
        (entry.name, entry.evaluation.byName.map { ($0.name, "", $0.value.estimate) })
      })
  }

  /// Says which numbers lie in their bands; throws `ExperimentError.outsideBand` with those that do
  /// not.
  public func check(_ evaluation: DatasetEvaluation) throws -> [String] {
    try check(evaluation.byName())
  }

  /// Says which numbers of a dataset lie in their bands; throws `ExperimentError.outsideBand` with
  /// those that do not.
  public func check(_ dataset: DatasetInspection) throws -> [String] {
    try check([(dataset.dataset, dataset.byName.map { ($0.name, "", $0.value) })])
  }

  /// Throws `ExperimentError.outsideBand` for a band of what is not among the results' names: that
  /// can be told before they are there.
  public func checkNames(among names: [String]) throws {
    for name in bands.keys.sorted() where !names.contains(name) {
      throw ExperimentError.outsideBand(NearNames.complaint("result", name, among: names))
    }
  }

  /// Throws `ExperimentError.outsideBand` for a band of what is no measure of an evaluation in any
  /// world.
  public func checkMeasures() throws {
    try checkNames(among: Comparison.measures + bands.keys.filter { Measure(name: $0) != nil })
  }

  private func check(
    _ results: [(subject: String, values: [(name: String, of: String, value: Double)])]
  ) throws -> [String] {
    var (inside, outside) = ([String](), [String]())
    for (subject, values) in results {
      for (name, band) in bands.sorted(by: { $0.key < $1.key }) {
        let found = values.filter { $0.name == name }
        if found.isEmpty {
          outside.append(
            "\(subject): " + NearNames.complaint("result", name, among: values.map(\.name).uniqued))
        }
        let source = band.source.map { " (\($0))" } ?? ""
        for (_, of, value) in found {
          let what = of.isEmpty ? "\(subject): \(name)" : "\(subject), \(of): \(name)"
          // What is not a number lies in no band.
          if (band.low ?? -.infinity)...(band.high ?? .infinity) ~= value {
            inside.append("\(what) is \(Self.short(value)), \(band.text)\(source)")
          } else {
            outside.append("\(what) must be \(band.text)\(source), found \(Self.short(value))")
          }
        }
      }
    }
    guard outside.isEmpty else {
      throw ExperimentError.outsideBand(outside.joined(separator: "\n"))
    }
    return inside
  }

  /// A number to five places, whole ones without any.
  fileprivate static func short(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15
      ? "\(Int(value))" : "\((value * 1e5).rounded() / 1e5)"
  }
}

extension Bands.Band {
  fileprivate var text: String {
    switch (low.map(Bands.short), high.map(Bands.short)) {
    case (let low?, let high?): low == high ? low : "from \(low) to \(high)"
    case (let low?, nil): "at least \(low)"
    case (nil, let high?): "at most \(high)"
    case (nil, nil): "a number"
    }
  }
}

extension DatasetInspection {
  /// The measures that can have a band: counts, and the estimates of what is stored.
  var byName: [(name: String, value: Double)] {
    let estimates = [
      ("success", success), ("success_ever", successEver), ("return", `return`),
      (name(ofKey: "returnBeforeLast"), returnBeforeLast),
    ].compactMap { name, estimate in estimate.map { (name, $0.estimate) } }
    let shares = (behaviour ?? [:]).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    return [("episodes", Double(counts.episodes)), ("steps", Double(counts.steps))]
      + estimates + shares
  }
}
