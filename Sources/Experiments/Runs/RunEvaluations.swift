import Foundation
import GoalCore
import Statistics
import Storage
import Support

/// An evaluation while training.
struct TimedEvaluation: Codable, CheckedValue, Equatable {
  /// Updates that the policy had.
  let updates: Int
  /// Environment steps that the run had collected; nil if it does not collect.
  var steps: Int?
  /// How it did.
  let evaluation: Evaluation

  /// Throws `InvalidValue` for the first count that no run has.
  func check() throws(InvalidValue) {
    try InvalidValue.require(updates, in: 0...SizeLimit.steps, "updates")
    if let steps { try InvalidValue.require(steps, in: 0...SizeLimit.steps, "steps") }
    for (name, value) in evaluation.byName {
      try InvalidValue.require(
        value.episodes, in: 1...SizeLimit.episodes, "evaluation.\(name).episodes")
    }
  }

  /// Whether this is better: more successes, and among equals a higher return.
  func isBetter(than other: TimedEvaluation) -> Bool {
    let (mine, others) = (evaluation, other.evaluation)
    return (mine[.success].estimate, mine[.fullReturn].estimate)
      > (others[.success].estimate, others[.fullReturn].estimate)
  }
}

extension TimedEvaluation {
  /// Reads an evaluation, and throws `InvalidValue` for one that no run made.
  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    updates = try values.decode(Int.self, forKey: .updates)
    steps = try values.decodeIfPresent(Int.self, forKey: .steps)
    evaluation = try values.decode(Evaluation.self, forKey: .evaluation)
    try check(in: decoder)
  }
}

/// `evaluations.json`: the evaluations of a run, all on the same episodes.
struct RunEvaluations {
  private let run: RunFolder
  /// The evaluations so far, oldest first.
  private(set) var all: [TimedEvaluation]

  /// Reads those of at most `updates`; later ones are made again.
  init(_ run: RunFolder, upTo updates: Int) throws {
    self.run = run
    all = try Self.saved(in: run).filter { $0.updates <= updates }
  }

  /// The evaluations that a run has written down; none if the file is not there.
  ///
  /// Throws `ExperimentError.damaged` for one that cannot be read: without it a worse checkpoint
  /// could take the best one's place.
  static func saved(in run: RunFolder) throws -> [TimedEvaluation] {
    guard FileManager.default.fileExists(atPath: run.evaluations.path) else { return [] }
    let data = try WholeFile.read(run.evaluations)
    do { return try JSONDecoder().decode([TimedEvaluation].self, from: data) } catch {
      throw ExperimentError.damaged(
        path: run.evaluations.path,
        reason:
          "must be a list of evaluations as JSON: put a whole one there, or remove it to begin the list "
          + "anew")
    }
  }

  /// The best of some, the first among equals.
  static func best(of all: [TimedEvaluation]) -> TimedEvaluation? {
    all.dropFirst().reduce(all.first) { best, next in
      best.map { next.isBetter(than: $0) ? next : $0 } ?? next
    }
  }

  /// The last success, for a progress report.
  var note: String {
    all.last.map { String(format: "success %.2f", $0.evaluation[.success].estimate) } ?? ""
  }

  /// Adds one and writes all down; says whether it is the best so far.
  mutating func append(_ evaluation: TimedEvaluation) throws -> Bool {
    // A run that was stopped before its first checkpoint makes its first evaluations again.
    all.removeAll { ($0.updates, $0.steps ?? 0) == (evaluation.updates, evaluation.steps ?? 0) }
    let best = Self.best(of: all)
    all.append(evaluation)
    try WholeFile.write(try JSON.pretty(all) + Data("\n".utf8), to: run.evaluations)
    return best.map { evaluation.isBetter(than: $0) } ?? true
  }
}
