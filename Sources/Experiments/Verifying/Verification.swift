import Environments
public import Foundation
import GoalCore
import Reporting
import Storage
import Support

/// Checks a dataset: its files, its numbers, and that the simulator gives them again.
public enum Verification {
  /// Which episodes are simulated again.
  public enum Replays: Sendable, Equatable {
    /// Some, spread evenly.
    case some(Int)
    /// Every one.
    case all
  }

  /// A rule that the data break.
  public struct Finding: Codable, Sendable, Equatable {
    /// The rule.
    public let rule: String
    /// How often it is broken.
    public var count: Int
    /// Where it is broken first, and by what.
    public let first: String
  }

  /// The results of the checks.
  public struct Report: Codable, Sendable, Equatable {
    /// The folder.
    public let dataset: String
    /// Episodes.
    public let episodes: Int
    /// Steps.
    public let steps: Int
    /// Shards, whose sizes and digests were checked.
    public let shards: Int
    /// Episodes that were simulated again and came out the same: to the bit if they were collected
    /// here.
    public let replayed: Int
    /// The faults, in the order of the data; empty for a sound dataset.
    public let findings: [Finding]
    /// Findings that no rule forbids and that are still unexpected, such as a jump in a world
    /// without bounds.
    public let suspicions: [Finding]
    /// The comparisons, a sentence each.
    public let checked: [String]
    /// The checks that were left out, and why.
    public let unchecked: [String]

    /// Whether nothing is wrong.
    public var isSound: Bool { findings.isEmpty }
  }

  /// Checks a dataset on `workers` threads.
  ///
  /// Throws if the files themselves are not as listed (absent, cut off, altered); what the numbers
  /// in sound files break is in the report.
  public static func run(
    _ folder: URL, replays: Replays, workers: Int, silent: Bool = false
  ) throws -> Report {
    let dataset = try Dataset(at: folder)
    try dataset.check(afresh: true, threads: workers)
    let manifest = dataset.manifest
    let total = manifest.totals.episodes
    let wanted: Int
    switch replays {
    case .all: wanted = total
    case .some(let count): wanted = min(count, total)
    }
    var found = Findings()
    let recipes = try manifest.shards.map { try manifest.origin(of: $0).recipe }
    let scope = VerificationScope(manifest, recipes: recipes)
    let loaded = try load(scope, wanted, &found)
    if scope.registered != nil {
      for recipe in scope.strangeLaws(recipes) {
        found.compare(
          "a recipe's goals and steps are those of a law of the world", false,
          at: "manifest.json has goals '\(recipe.goals ?? "none")' of \(recipe.steps ?? 0) steps")
      }
    }

    try checkShards(manifest, &found)
    let progress = ProgressReport(
      "verify \(folder.lastPathComponent)", total: total, unit: "episodes", silent: silent)
    let pieces = pieces(of: manifest.shards.map(\.episodes.count), workers: workers)
    let jumps = scope.looksForJumps ? StepSizes(manifest) : nil
    let results = try Parallel.map(
      count: pieces.count, workers: workers, context: { try loaded?.makeEnvironment() }
    ) { environment, number -> PieceResult in
      let piece = pieces[number]
      let shard = manifest.shards[piece.shard]
      let rules = scope.rules(for: recipes[piece.shard])
      let trajectories = try dataset.open(shard, threads: 1).trajectories(at: piece.places)
      var result = PieceResult(totals: DatasetTotals(of: trajectories))
      for (place, trajectory) in zip(piece.places, trajectories) {
        let spot = "\(shard.file), episode \(trajectory.index)"
        rules.check(trajectory, spot, &result.found)
        rules.compare(trajectory, spot, &result.comparison)
        jumps?.add(trajectory, number: piece.first + place, spot)
        if let environment, scope.canReplay(recipes[piece.shard]),
          isChosen(piece.first + place, of: total, wanted)
        {
          if rules.recipe == nil {
            rules.replayKept(trajectory, in: environment, spot, &result.comparison.replays)
          } else {
            rules.replay(
              trajectory, as: scope.kind(of: recipes[piece.shard]), in: environment, spot,
              &result.found)
            result.replayed += 1
          }
        }
        result.seeds.append(trajectory.seed)
        progress.advance()
      }
      return result
    }
    progress.finish()
    var comparison = SourceComparison()
    for result in results {
      found.merge(result.found)
      comparison.merge(result.comparison)
    }
    checkSeeds(manifest, recipes, zip(pieces, results.map(\.seeds)), &found)
    checkTotals(manifest, results.map(\.totals), &found)
    let replayed = results.reduce(0) { $0 + $1.replayed }
    let words = scope.words(
      comparison, jumps: jumps, replayed: replayed, wanted: loaded == nil ? 0 : wanted, &found)
    return Report(
      dataset: folder.relativePath, episodes: total, steps: manifest.totals.steps,
      shards: manifest.shards.count, replayed: replayed + comparison.replays.same,
      findings: found.list, suspicions: words.suspicions, checked: words.checked,
      unchecked: words.unchecked)
  }

  /// Loads the world that episodes are simulated in again; nil if none are.
  private static func load(
    _ scope: VerificationScope, _ wanted: Int, _ found: inout Findings
  ) throws -> LoadedWorld? {
    let manifest = scope.manifest
    if let registered = scope.registered {
      found.compare(
        "the task is the registered world's", manifest.task == registered.task, at: "manifest.json")
    }
    guard wanted > 0, scope.hasCollected || scope.canReplay(nil) else { return nil }
    // Collected episodes are of a world that must be there.
    let world = try scope.registered ?? EnvironmentRegistry.world(manifest.task.identifier)
    guard manifest.task == world.task else { return nil }
    let ready = try world.load()
    guard scope.hasCollected else { return ready }
    let digest = Digest.sha256(of: Data(ready.modelBytes))
    found.compare(
      "the model is the manifest's", digest == manifest.modelDigest,
      at: "manifest.json lists \(manifest.modelDigest ?? "none"), the model here has \(digest)")
    let simulator = manifest.libraries["simulator"] ?? "none"
    found.compare(
      "the simulator is the manifest's", simulator == ready.simulator,
      at: "manifest.json lists \(simulator), here is \(ready.simulator)")
    return ready
  }

  // MARK: - The work in pieces

  /// Episodes of a shard that one thread checks at a time.
  struct Piece: Sendable, Equatable {
    let shard: Int
    let places: Range<Int>
    /// The number, over the dataset, of the shard's first episode.
    let first: Int
  }

  /// The result of a piece.
  private struct PieceResult: Sendable {
    var found = Findings()
    var replayed = 0
    var comparison = SourceComparison()
    var totals: DatasetTotals
    var seeds: [UInt64] = []
  }

  /// Cuts shards of these many episodes into pieces: at least four for each worker, if there are
  /// episodes enough, since shards alone may be too few for all.
  static func pieces(of episodes: [Int], workers: Int) -> [Piece] {
    let wanted = max(1, (4 * workers + episodes.count - 1) / max(1, episodes.count))
    var pieces: [Piece] = []
    var first = 0
    for (shard, count) in episodes.enumerated() {
      let parts = min(wanted, count)
      for part in 0..<parts {
        let places = (count * part / parts)..<(count * (part + 1) / parts)
        pieces.append(Piece(shard: shard, places: places, first: first))
      }
      first += count
    }
    return pieces
  }

  /// Whether an episode is one of `wanted` that are spread evenly over `total`.
  static func isChosen(_ number: Int, of total: Int, _ wanted: Int) -> Bool {
    (number + 1) * wanted / total > number * wanted / total
  }

  // MARK: - Rules of the whole

  /// The rules of the list of shards.
  private static func checkShards(_ manifest: Manifest, _ found: inout Findings) throws {
    guard let mixture = manifest.mixture else {
      for (one, next) in zip(manifest.shards, manifest.shards.dropFirst()) {
        found.compare(
          "shards are in the order of their episodes",
          (one.episodes.last ?? 0) < (next.episodes.first ?? 0),
          at: "\(next.file) after \(one.file)")
      }
      return
    }
    for (place, source) in mixture.sources.enumerated() {
      let parts = manifest.shards.filter { $0.source == place }.map(\.episodes)
      found.compare(
        "a source's episodes are those of its shards", EpisodeSet(union: parts) == source.episodes,
        at: "manifest.json, source \(source.id)")
    }
  }

  /// No two episodes of one recipe have one seed, unless a mixture was to repeat them.
  private static func checkSeeds(
    _ manifest: Manifest, _ recipes: [Recipe?], _ pieces: some Sequence<(Piece, [UInt64])>,
    _ found: inout Findings
  ) {
    if manifest.mixture?.repeats == true { return }
    var known: [Recipe: Set<UInt64>] = [:]
    for (piece, seeds) in pieces {
      guard let recipe = recipes[piece.shard]?.decidingEpisodes else { continue }
      for (place, seed) in zip(piece.places, seeds) {
        let isNew = known[recipe, default: []].insert(seed).inserted
        found.compare(
          "no two episodes of a recipe have one seed", isNew,
          at: "\(manifest.shards[piece.shard].file), number \(place) in it, has \(seed)")
      }
    }
  }

  /// The manifest's counts are those of the episodes.
  private static func checkTotals(
    _ manifest: Manifest, _ parts: [DatasetTotals], _ found: inout Findings
  ) {
    var totals = DatasetTotals()
    for part in parts { totals.merge(part) }
    let listed = manifest.totals
    let sum = totals.returnSum
    // Parts were added in another order than shards were.
    totals.returnSum = listed.returnSum
    found.compare(
      "the manifest's counts are those of the episodes", totals == listed, at: "manifest.json")
    found.compare(
      "the manifest's sum of rewards is that of the episodes",
      abs(sum - listed.returnSum) <= 1e-9 * max(1, abs(sum)) || sum.isNaN, at: "manifest.json")
  }
}

extension Manifest {
  /// The origin of a shard's episodes.
  func origin(of shard: ShardEntry) throws -> EpisodeOrigin {
    switch identity.origin {
    case .collected(let recipe): .collected(recipe)
    case .converted(let conversion): .converted(conversion)
    case .mixed: try source(of: shard).origin
    }
  }
}
