public import Foundation
import Statistics
import Support

/// Intervals over training seeds of numbers that are kept in tables, for scripts: they need no
/// formula of their own.
///
/// Asked are JSON objects in a list, answered as many estimates (`Intervals.overRuns`):
///
///     [{"values": [0.7, 0.75, 0.8], "low": 0, "high": 1, "episodes": 200, "shares_starts": false}]
///     [{"episodes": 3, "estimate": 0.75, "high": 0.86, "low": 0.6}]
public enum RunIntervals {
  /// The most lists, and the most values of one.
  static let limit = 10_000

  private struct Question: Decodable {
    /// A value for each run.
    let values: [Double]
    /// The range of the values; nil if unbounded.
    let low, high: Double?
    /// Episodes that each value is of; needed of shares whose runs were evaluated on the same
    /// starts.
    let episodes: Int?
    /// Whether all runs were evaluated on the same starts; each on its own if not given.
    let sharesStarts: Bool?

    enum CodingKeys: String, CodingKey {
      case values, low, high, episodes
      case sharesStarts = "shares_starts"
    }
  }

  /// The answers to questions; throws `ExperimentError.badSettings` for anything else.
  public static func answers(to data: Data) throws -> String {
    func fault(_ reason: String) -> ExperimentError {
      .badSettings(path: "intervals", reason: reason)
    }
    guard let questions = try? JSONDecoder().decode([Question].self, from: data) else {
      throw fault(
        #"standard input must be a JSON list such as [{"values": [0.7, 0.8], "low": 0, "high": 1}]"#
      )
    }
    guard questions.count <= limit else {
      throw fault("a list must have at most \(limit) items, found \(questions.count)")
    }
    let found = try questions.enumerated().map { number, question in
      do { return try answer(question) } catch let found as Fault {
        throw fault("item \(number + 1): \(found.reason)")
      }
    }
    return String(decoding: try JSON.line(found), as: UTF8.self)
  }

  private struct Fault: Error { let reason: String }

  private static func answer(_ question: Question) throws -> Estimate {
    let (low, high) = (question.low ?? -.infinity, question.high ?? .infinity)
    guard 2...limit ~= question.values.count else {
      throw Fault(reason: "values must be 2 to \(limit), found \(question.values.count)")
    }
    guard low < high else {
      throw Fault(reason: "low must be below high, found \(low) and \(high)")
    }
    if let odd = question.values.first(where: { !(low...high ~= $0) }) {
      throw Fault(reason: "values must lie from \(low) to \(high), found \(odd)")
    }
    let isShare = low == 0 && high == 1
    if let episodes = question.episodes, !(isShare && 1...1_000_000_000 ~= episodes) {
      throw Fault(
        reason: "episodes go with shares from 0 to 1 and must be 1 to 1000000000, found \(episodes)"
      )
    }
    let isShared = question.sharesStarts ?? false
    guard !isShared || question.episodes != nil else {
      throw Fault(
        reason: "shares_starts needs the episodes of shares: else nothing says what starts do")
    }
    let runs = question.values.map { value in
      guard let episodes = question.episodes else {
        return Estimate(estimate: value, low: value, high: value, episodes: 1)
      }
      // A mean of several evaluations need be no whole number of successes.
      let own = Intervals.wilson(
        successes: Int((value * Double(episodes)).rounded()), of: episodes)
      return Estimate(estimate: value, low: own.low, high: own.high, episodes: episodes)
    }
    return Intervals.overRuns(runs, sharingStarts: isShared, in: low...high)
  }
}
