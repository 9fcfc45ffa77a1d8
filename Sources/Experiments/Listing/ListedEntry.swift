import Foundation
import Reporting
import Storage
import Support

/// A dataset, run, checkpoint or study that was found in a folder.
public struct ListedEntry: Encodable, Sendable {
  /// The kinds of things that are found.
  public enum Kind: String, Encodable, Sendable {
    /// A folder with a manifest, with shards in the making, or with a recipe.
    case dataset
    /// A training run's folder.
    case run
    /// A folder with a policy.
    case checkpoint
    /// A folder that `goalpost export` made.
    case study
  }

  /// How much of it is there.
  public enum State: String, Encodable, Sendable {
    /// All that belongs to it is there; shards have the listed sizes.
    case whole
    /// It was begun, and not all of it is there.
    case unfinished
    /// A dataset whose recipe or manifest is there, and none of its shards.
    case notCollected = "not collected"
    /// A file of it is not what was written.
    case damaged
  }

  /// Something that it was made from, or belongs to.
  public struct Parent: Encodable, Sendable, Equatable {
    /// What it is to this: `policy`, `file`, `input`, `dataset`, `began with` or `run`.
    public let relation: String
    /// Its name, as the files of this say it.
    public let name: String
    /// Its SHA-256; nil if it has none.
    public var sha256: String?
    /// Where it is in the listing; nil if it was not found there.
    public internal(set) var path: String?

    init(_ relation: String, _ name: String, sha256: String? = nil, path: String? = nil) {
      self.relation = relation
      self.name = name
      self.sha256 = sha256
      self.path = path
    }

    /// Its path or name, and the first digits of its SHA-256.
    func named(digits: Int) -> String {
      let name = path ?? name
      guard let digest = sha256?.prefix(digits) else { return name }
      return name.isEmpty ? "sha256 \(digest)" : "\(name) (sha256 \(digest))"
    }
  }

  /// What it is.
  public let kind: Kind
  /// The folder.
  public let path: String
  /// The world's id; nil if its files do not say.
  public internal(set) var environment: String?
  /// The learner's id, of a run or a checkpoint.
  public internal(set) var learner: String?
  /// Runs of a study.
  public internal(set) var runs: Int?
  /// Bytes of all files in the folder.
  public internal(set) var bytes = 0
  /// Episodes of a dataset that are there.
  public internal(set) var episodes: Int?
  /// Updates that a checkpoint has, or the last one of a run.
  public internal(set) var updates: Int?
  /// Episodes or updates that it is to have, if that is known.
  public internal(set) var expected: Int?
  /// How much of it is there.
  public internal(set) var state: State
  /// What is wrong, in a sentence.
  public internal(set) var fault: String?
  /// The SHA-256 of a finished dataset's manifest, by which runs and mixtures name it.
  public internal(set) var sha256: String?
  /// What it was made from, or belongs to.
  public internal(set) var lineage: [Parent] = []

  init(_ kind: Kind, at path: String, _ state: State = .whole) {
    self.kind = kind
    self.path = path
    self.state = state
  }

  /// The learner and the world, or the runs.
  var about: String? {
    if let runs { return "\(ReportText.count(runs)) \(runs == 1 ? "run" : "runs")" }
    let names = [learner, environment].compactMap { $0 }
    return names.isEmpty ? nil : names.joined(separator: " on ")
  }

  /// The state, and of how many episodes or updates not all are there.
  var stateText: String {
    guard let expected, state == .unfinished || state == .notCollected else {
      return state.rawValue
    }
    if kind == .dataset, episodes == expected { return "\(state.rawValue), without a manifest" }
    let unit = kind == .dataset ? "episodes" : "updates"
    return "\(state.rawValue), of \(ReportText.count(expected)) \(unit)"
  }
}

/// Bytes: people read them in larger units.
struct ByteCount: TableValue {
  let bytes: Int

  var shown: String { ReportText.bytes(bytes) }
  var fields: [String] { ["\(bytes)"] }
}

/// A count: people read its digits in groups.
struct GroupedCount: TableValue {
  let count: Int

  var shown: String { ReportText.count(count) }
  var fields: [String] { ["\(count)"] }
}

/// What something was made from: people read the first few of each relation, and short digests.
struct LineageText: TableValue {
  /// Names of a relation that people read.
  private static let most = 3

  let parents: [ListedEntry.Parent]

  var shown: String {
    var groups: [(relation: String, parents: [ListedEntry.Parent])] = []
    for parent in parents {
      if let last = groups.last, last.relation == parent.relation {
        groups[groups.count - 1].parents.append(parent)
      } else {
        groups.append((parent.relation, [parent]))
      }
    }
    return groups.map { relation, parents in
      let names = parents.prefix(Self.most).map { parent in
        parent.path ?? parent.named(digits: 12)
      }
      let more = parents.count - names.count
      return "\(relation) " + names.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
    }.joined(separator: "; ")
  }

  var fields: [String] {
    [
      parents.map { "\($0.relation) \($0.named(digits: 64))" }.joined(separator: "; ")
    ]
  }
}
