import Foundation
import GoalCore
import Replay
import Storage
import Support

/// The episodes that a run could learn from, and those that it held out: `episodes.json` in its
/// folder.
///
/// They are told apart by their marks, so that an overlap with other data is found episode by
/// episode. With a checkpoint that a run began with come the episodes that this had seen.
struct SeenEpisodes: Codable, Equatable {
  /// Episodes that came at one moment of the run, on one side.
  struct Group: Codable, Equatable {
    /// Updates that the policy had by then: one of more can have learned from them.
    let since: Int
    /// Whether they were held out of training.
    let isHeldOut: Bool
    /// Their marks.
    var marks: [EpisodeMarks]

    init(since: Int, isHeldOut: Bool, marks: [EpisodeMarks]) {
      self.since = since
      self.isHeldOut = isHeldOut
      self.marks = marks
    }

    private enum CodingKeys: String, CodingKey { case since, isHeldOut, origins, contents }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      since = try container.decode(Int.self, forKey: .since)
      isHeldOut = try container.decode(Bool.self, forKey: .isHeldOut)
      func numbers(_ key: CodingKeys) throws -> [UInt64] {
        let text = Array(try container.decode(String.self, forKey: key).utf8)
        let numbers = stride(from: 0, to: text.count, by: 16).compactMap {
          UInt64(String(decoding: text[$0..<min($0 + 16, text.count)], as: UTF8.self), radix: 16)
        }
        guard 16 * numbers.count == text.count else {
          throw DecodingError.dataCorruptedError(
            forKey: key, in: container, debugDescription: "marks are 16 hexadecimal digits each")
        }
        return numbers
      }
      let (origins, contents) = (try numbers(.origins), try numbers(.contents))
      guard origins.count == contents.count else {
        throw DecodingError.dataCorruptedError(
          forKey: .contents, in: container,
          debugDescription: "must have \(origins.count) marks, found \(contents.count)")
      }
      marks = zip(origins, contents).map { EpisodeMarks(origin: $0, content: $1) }
    }

    func encode(to encoder: any Encoder) throws {
      func text(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
      }
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(since, forKey: .since)
      try container.encode(isHeldOut, forKey: .isHeldOut)
      try container.encode(marks.map { text($0.origin) }.joined(), forKey: .origins)
      try container.encode(marks.map { text($0.content) }.joined(), forKey: .contents)
    }
  }

  /// The version of this file that is read and written.
  static let schema = 1

  var schema = SeenEpisodes.schema
  /// Whether these are all: not so if the run began with a checkpoint of which it is not known what
  /// it saw.
  var isComplete = true
  /// What the checkpoint had seen that the run began with.
  var inherited: [Group] = []
  /// The datasets' episodes.
  var datasets: [Group] = []
  /// The episodes that an online run collected, in order.
  var collected: [Group] = []

  /// What a policy of so many updates has seen, as what a run that begins with it inherits.
  func inherited(at updates: Int) -> SeenEpisodes {
    var seen = SeenEpisodes()
    seen.isComplete = isComplete
    for isHeldOut in [false, true] {
      let marks = (inherited + datasets + collected).filter {
        $0.since < updates && $0.isHeldOut == isHeldOut
      }.flatMap(\.marks)
      if !marks.isEmpty {
        seen.inherited.append(Group(since: 0, isHeldOut: isHeldOut, marks: marks))
      }
    }
    return seen
  }

  /// Reads what a run saw; nil if it wrote nothing, as runs of older versions did not.
  init?(of run: RunFolder) throws {
    guard FileManager.default.fileExists(atPath: run.episodes.path) else { return nil }
    self = try DigestedJSON.read(
      SeenEpisodes.self, from: run.episodes, schema: SeenEpisodes.schema
    ).value
  }

  init() {}
}

extension RunFolder {
  /// Writes down what the run could learn from.
  func write(_ seen: SeenEpisodes) throws { try DigestedJSON.write(seen, to: episodes) }
}
