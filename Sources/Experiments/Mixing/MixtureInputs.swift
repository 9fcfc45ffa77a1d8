import Foundation
import GoalCore
import Storage
import Support

/// The datasets that are mixed: opened, and found to belong together.
struct MixtureInputs: Sendable {
  /// One of them.
  struct Input: Sendable {
    let path: String
    let dataset: Dataset
    let digest: String
    let weight: Double?
    /// Where each shard's episodes begin, counted over the dataset, and their end.
    let starts: [Int]

    /// The places of the episodes that satisfy the filter, ascending; nil without one.
    let satisfying: [Int]?

    var manifest: Manifest { dataset.manifest }
    /// Episodes of all shards.
    var total: Int { starts.last ?? 0 }
    /// Episodes that may be taken.
    var count: Int { satisfying?.count ?? total }

    /// The places in the dataset of some that are counted over those that may be taken.
    func places(_ chosen: [Int]) -> [Int] {
      satisfying.map { all in chosen.map { all[$0] } } ?? chosen
    }
  }

  let all: [Input]

  /// Opens `FOLDER` or `FOLDER:WEIGHT`, each, and finds the episodes that satisfy a filter.
  init(_ texts: [String], filter: EpisodeFilter?, workers: Int) throws {
    var all: [Input] = []
    for text in texts {
      let (path, weight) = try WeightedDataset.parts(of: text)
      let dataset = try Dataset(at: URL(fileURLWithPath: path))
      // The files bear the number of episodes out, before all of them are listed.
      try dataset.check()
      var starts = [0]
      for shard in dataset.manifest.shards {
        starts.append(starts[starts.count - 1] + shard.episodes.count)
      }
      all.append(
        Input(
          path: path, dataset: dataset, digest: try dataset.manifest.digest(), weight: weight,
          starts: starts,
          satisfying: try filter.map {
            try MixtureInputs.places(satisfying: $0, in: dataset, starts, workers: workers)
          }))
    }
    self.all = all
    guard let first = all.first else {
      throw ExperimentError.badSettings(path: "mix", reason: "at least one dataset is needed")
    }
    for other in all.dropFirst() { try MixtureInputs.compare(other, first) }
    if let bare = all.first(where: { $0.weight == nil }), all.contains(where: { $0.weight != nil })
    {
      throw ExperimentError.cannotMix(
        path: bare.path, reason: "give every dataset a weight, or none: this one has none")
    }
  }

  /// The places of the episodes that satisfy a filter, counted over a dataset.
  private static func places(
    satisfying filter: EpisodeFilter, in dataset: Dataset, _ starts: [Int], workers: Int
  ) throws -> [Int] {
    let shards = dataset.manifest.shards
    return try Parallel.map(count: shards.count, workers: workers, context: {}) { _, index in
      let reader = try dataset.open(shards[index], threads: 1)
      return try filter.places(in: reader, of: dataset.manifest.task).map { starts[index] + $0 }
    }.flatMap { $0 }
  }

  /// Throws if two datasets cannot be one.
  private static func compare(_ other: Input, _ first: Input) throws {
    let (a, b) = (other.manifest, first.manifest)
    func check(_ what: String, _ mine: String, _ theirs: String) throws {
      guard mine != theirs else { return }
      throw ExperimentError.cannotMix(
        path: other.path,
        reason: "all datasets of a mixture must have one \(what): this has \(mine), "
          + "\(first.path) has \(theirs)")
    }
    try check("task", a.task.identifier, b.task.identifier)
    guard a.task == b.task else {
      throw ExperimentError.cannotMix(
        path: other.path,
        reason: "all datasets of a mixture must have one task: the two of \(a.task.identifier) "
          + "differ in their sizes or constants")
    }
    try check("model", a.modelDigest ?? "none", b.modelDigest ?? "none")
    for name in Set(a.libraries.keys).union(b.libraries.keys).sorted() {
      try check(name, a.libraries[name] ?? "none", b.libraries[name] ?? "none")
    }
    try check("length of simulator states", "\(a.stateLength)", "\(b.stateLength)")
    try check("shape of images", "\(a.identity.imageShape)", "\(b.identity.imageShape)")
    for name in Set(a.columns.keys).union(b.columns.keys).sorted()
    where a.columns[name] != b.columns[name] {
      func words(_ column: ManifestColumn?) -> String {
        column.map { "\($0.origin.rawValue) \($0.type ?? "")" } ?? "none"
      }
      try check("column '\(name)'", words(a.columns[name]), words(b.columns[name]))
    }
  }
}
