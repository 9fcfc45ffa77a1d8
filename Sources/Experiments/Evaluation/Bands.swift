public import Foundation
import GoalCore
import Statistics

/// Bands that results must lie in, each with where it comes from.
public struct Bands: Sendable {
  /// A band; a missing end is open.
  struct Band: Codable, Sendable {
    let low: Double?
    let high: Double?
    let source: String?
  }

  private let bands: [String: Band]

  /// Reads a file such as `{"success": {"low": 0.85, "source": "..."}}`.
  public init(contentsOf file: URL) throws {
    do {
      bands = try JSONDecoder().decode([String: Band].self, from: Data(contentsOf: file))
    } catch {
      throw ExperimentError.badSettings(
        path: file.path, reason: "must be bands by name: {\"success\": {\"low\": 0.85}}")
    }
  }

  /// Throws `ExperimentError.outsideBand` for the first estimate outside its band.
  public func check(_ comparison: Comparison) throws {
    for entry in comparison.entries {
      try check(entry.evaluation.byName.map { ($0.name, $0.value.estimate) }, of: entry.name)
    }
  }

  /// Throws `ExperimentError.outsideBand` for the first number outside its band.
  public func check(_ evaluation: DatasetEvaluation) throws {
    for (subject, values) in evaluation.byName() { try check(values, of: subject) }
  }

  /// Throws `ExperimentError.outsideBand` for the first number of a dataset outside its band.
  public func check(_ dataset: DatasetInspection) throws {
    try check(dataset.byName, of: dataset.dataset)
  }

  private func check(_ values: [(name: String, value: Double)], of subject: String) throws {
    for (name, band) in bands.sorted(by: { $0.key < $1.key }) {
      guard let value = values.first(where: { $0.name == name })?.value else {
        throw ExperimentError.outsideBand(
          "\(subject): " + NearNames.complaint("result", name, among: values.map(\.name)))
      }
      // What is not a number lies in no band.
      guard (band.low ?? -.infinity)...(band.high ?? .infinity) ~= value else {
        throw ExperimentError.outsideBand(
          "\(subject): \(name) must be \(band.text), found \(value)")
      }
    }
  }
}

extension Bands.Band {
  fileprivate var text: String {
    switch (low, high) {
    case (let low?, let high?): low == high ? "\(low)" : "from \(low) to \(high)"
    case (let low?, nil): "at least \(low)"
    case (nil, let high?): "at most \(high)"
    case (nil, nil): "a number"
    }
  }
}

extension DatasetInspection {
  /// What a band can be given for: counts, and the estimates of what is stored.
  var byName: [(name: String, value: Double)] {
    let estimates = [
      ("success", success), ("success_ever", successEver), ("return", `return`),
      ("return49", return49),
    ].compactMap { name, estimate in estimate.map { (name, $0.estimate) } }
    let shares = (behaviour ?? [:]).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    return [("episodes", Double(counts.episodes)), ("steps", Double(counts.steps))]
      + estimates + shares
  }
}
