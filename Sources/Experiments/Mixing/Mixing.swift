public import Foundation
import GoalCore
import Reporting
import Storage
public import Support
import Synchronization

/// Makes datasets of episodes of others: mixtures, subsets, splits and merges.
public enum Mixing {
  /// A command line's request, as it is written there.
  public struct Request: Sendable {
    /// Folders of datasets, each with `:WEIGHT` or without.
    public var datasets: [String]
    /// Episodes in all, or nil for as many as there are.
    public var episodes: Int?
    /// Only these episodes, as in `0-499,700`, or nil.
    public var onlyEpisodes: String?
    /// Only episodes that satisfy this condition, as in `success = 1`, or nil.
    public var filter: String?
    /// The draw's seed, below 2²⁸; nil for that of `drawSeed`, if one is needed.
    public var seed: UInt64?
    /// The share of the episodes that the train part gets, or nil for one dataset.
    public var split: Double?
    /// Whether an episode may be taken several times.
    public var repeats = false
    /// Whether whole shards are copied if they could be linked.
    public var copies = false
    /// Whether all shards are to be compressed, or none; nil if each stays as it is.
    public var compress: Bool?

    /// Makes a request of these datasets with nothing else asked for.
    public init(_ datasets: [String], seed: UInt64? = nil) {
      self.datasets = datasets
      self.seed = seed
    }

    /// The measures that `filter` may compare, for help.
    public static var measures: String { EpisodeFilter.Measure.names }

    /// Throws `InvalidValue` for a text that is no `filter`.
    public static func check(filter text: String) throws(InvalidValue) {
      _ = try EpisodeFilter(text)
    }
  }

  /// Makes what a request lacks in `folder`, and, of a split, in `<folder>-val`.
  ///
  /// The same bytes come out for any number of workers and after any interruption; what is there is
  /// left alone. `drawSeed` is called if a seed is needed and the request has none; by default the
  /// seed is then 0.
  public static func run(
    _ request: Request, in folder: URL, workers: Int?, silent: Bool = false,
    drawSeed: () -> UInt64 = { 0 }
  ) throws -> [TrajectoryCollection.Summary] {
    if request.repeats, let episodes = request.episodes, !(OptionRange.repeated ~= episodes) {
      throw ExperimentError.badSettings(
        path: "mix --repeat",
        reason: "takes from 1 to \(OptionRange.repeated.upperBound) episodes, found \(episodes)")
    }
    let workers = workers ?? Parallel.cores
    let filter = try request.filter.map(Mixing.filter)
    let inputs = try MixtureInputs(request.datasets, filter: filter, workers: workers).all
    if let filter { try checkSatisfied(filter, inputs, silent: silent) }
    let parts: [(folder: URL, part: Mixture.Part?, lists: [[[Int]]])]
    // Which episodes are drawn depends on the seed, whether any are does not.
    let isDrawn = isDrawn(request, try select(request, inputs, seed: 0), inputs)
    let seed = isDrawn ? request.seed ?? drawSeed() : 0
    let lists = try select(request, inputs, seed: seed)
    if let share = request.split {
      let (train, validation) = try split(lists, share: share, seed: seed, folder)
      let name = folder.relativePath
      let other = URL(
        fileURLWithPath: (name.hasSuffix("/") ? String(name.dropLast()) : name) + "-val")
      parts = [(folder, .train, train), (other, .validation, validation)]
    } else {
      parts = [(folder, nil, lists)]
    }
    for (folder, _, _) in parts {
      for input in inputs
      where input.dataset.folder.resolvingSymlinksInPath().path
        == folder.resolvingSymlinksInPath().path
      {
        throw ExperimentError.cannotMix(
          path: folder.path, reason: "is one of the datasets that are mixed: give another --output")
      }
    }
    return try parts.map { folder, part, lists in
      let plan = try MixturePlan(inputs, lists: lists, compress: request.compress)
      if !request.repeats, let (source, episode) = plan.firstDuplicate {
        throw ExperimentError.cannotMix(
          path: folder.path,
          reason: "episode \(episode) of \(source) would be there twice: --repeat allows it")
      }
      let mixture = Mixture(
        inputs: zip(inputs, plan.taken).map {
          MixtureInput(
            id: $0.manifest.id, sha256: $0.digest, weight: $0.weight, episodes: $1,
            satisfying: $0.satisfying?.count)
        },
        sources: plan.sources,
        seed: isDrawn ? seed : nil,
        split: request.split, part: part, repeats: request.repeats, compress: request.compress,
        filter: filter)
      return try make(
        mixture, plan, inputs, in: folder, copies: request.copies, workers: workers,
        silent: silent)
    }
  }

  private static func filter(_ text: String) throws -> EpisodeFilter {
    do { return try EpisodeFilter(text) } catch {
      throw ExperimentError.badSettings(path: "--where", reason: "\(error)")
    }
  }

  /// Says how many episodes of each dataset satisfy a filter; throws if none of them all does, or
  /// none of one that has a weight.
  private static func checkSatisfied(
    _ filter: EpisodeFilter, _ inputs: [MixtureInputs.Input], silent: Bool
  ) throws {
    func sentence(_ count: Int, _ total: Int) -> String {
      "\(count) of \(total) episodes satisfy \(filter)"
    }
    let (found, total) = inputs.reduce((0, 0)) { ($0.0 + $1.count, $0.1 + $1.total) }
    guard found > 0 else {
      throw ExperimentError.cannotMix(
        path: inputs.map(\.path).joined(separator: ", "), reason: sentence(0, total))
    }
    if let empty = inputs.first(where: { $0.weight != nil && $0.count == 0 }) {
      throw ExperimentError.cannotMix(
        path: empty.path, reason: sentence(0, empty.total) + ", and its weight asks for some")
    }
    if silent { return }
    for input in inputs {
      Console.noteAtStart("\(input.path): " + sentence(input.count, input.total))
    }
  }

  private static func isDrawn(
    _ request: Request, _ lists: [[[Int]]], _ inputs: [MixtureInputs.Input]
  ) -> Bool {
    if request.split != nil { return true }
    return request.onlyEpisodes == nil
      && zip(lists, inputs).contains { rounds, input in
        input.count > 0 && (rounds.contains { $0.count < input.count } || rounds.isEmpty)
      }
  }

  // MARK: - Which episodes

  /// The places of the episodes that are taken of each input, one list a round.
  static func select(
    _ request: Request, _ inputs: [MixtureInputs.Input], seed: UInt64
  ) throws -> [[[Int]]] {
    zip(inputs, try choose(request, inputs, seed: seed)).map { input, rounds in
      rounds.map(input.places)
    }
  }

  /// The same, counted over the episodes that may be taken of each input.
  private static func choose(
    _ request: Request, _ inputs: [MixtureInputs.Input], seed: UInt64
  ) throws -> [[[Int]]] {
    let sizes = inputs.map(\.count)
    let satisfying = request.filter == nil ? "" : " that satisfy the filter"
    if let text = request.onlyEpisodes {
      return [[try places(of: text, in: inputs)]]
    }
    let weights = inputs.compactMap(\.weight)
    let total: Int
    var counts: [Int]?
    if weights.isEmpty {
      total = sizes.reduce(0, +)
      // One dataset several times over: shares by size, so that whole rounds stay whole.
      if request.repeats, let asked = request.episodes {
        counts = MixtureSelection.apportion(asked, shares: sizes.map(Double.init))
      }
    } else {
      total = MixtureSelection.most(sizes, shares: weights)
      counts = MixtureSelection.apportion(request.episodes ?? total, shares: weights)
    }
    if let counts {
      for (input, count) in zip(inputs, counts) where count > input.count && !request.repeats {
        throw ExperimentError.cannotMix(
          path: input.path,
          reason: "has \(input.count) episodes\(satisfying), and \(count) are asked of it: "
            + "ask for fewer, or give --repeat")
      }
      return zip(inputs.indices, counts).map { number, count in
        sizes[number] == 0
          ? [] : MixtureSelection.rounds(count, of: sizes[number], seed: seed, number: number)
      }
    }
    guard let asked = request.episodes, asked != total else {
      return sizes.map { [Array(0..<$0)] }
    }
    guard asked < total else {
      throw ExperimentError.cannotMix(
        path: inputs.map(\.path).joined(separator: ", "),
        reason: "there are \(total) episodes\(satisfying), and \(asked) are asked for: "
          + "ask for fewer, or give --repeat")
    }
    let drawn = MixtureSelection.draw(asked, of: total, seed: seed, stream: .draw, number: 0)
    var start = 0
    return sizes.map { size in
      defer { start += size }
      return [drawn.filter { start..<(start + size) ~= $0 }.map { $0 - start }]
    }
  }

  /// The places, among those that may be taken, of the episodes of these numbers in the one dataset
  /// that is given.
  private static func places(
    of text: String, in inputs: [MixtureInputs.Input]
  ) throws -> [Int] {
    guard let set = EpisodeSet(text) else {
      throw ExperimentError.badSettings(
        path: "--only-episodes", reason: "must be ranges as in 0-499,700, found '\(text)'")
    }
    guard inputs.count == 1, let input = inputs.first else {
      throw ExperimentError.badSettings(
        path: "--only-episodes", reason: "takes one dataset, found \(inputs.count)")
    }
    guard Set(input.manifest.shards.map(\.source)).count == 1 else {
      throw ExperimentError.cannotMix(
        path: input.path, reason: "--only-episodes takes a dataset of one source, this has several")
    }
    let numbers = input.manifest.shards.flatMap(\.episodes.numbers)
    let there = Set(numbers.filter(set.contains))
    // Not all numbers of the set, which may be far more than the dataset's.
    let wanted = set.ranges.lazy.flatMap { $0 }
    if let missing = wanted.first(where: { !there.contains($0) }) {
      throw ExperimentError.cannotMix(path: input.path, reason: "has no episode \(missing)")
    }
    let candidates = input.places(Array(0..<input.count))
    let places = candidates.indices.filter { set.contains(numbers[candidates[$0]]) }
    guard !places.isEmpty else {
      throw ExperimentError.cannotMix(
        path: input.path, reason: "none of the episodes \(set) satisfies the filter")
    }
    return places
  }

  /// Both parts of a split: of each input the same share, drawn.
  static func split(
    _ lists: [[[Int]]], share: Double, seed: UInt64, _ folder: URL
  ) throws -> (train: [[[Int]]], validation: [[[Int]]]) {
    let all = try lists.map { rounds in
      guard rounds.count <= 1 else {
        throw ExperimentError.cannotMix(
          path: folder.path, reason: "a split takes every episode once: drop --repeat")
      }
      return rounds.first ?? []
    }
    let total = all.reduce(0) { $0 + $1.count }
    let wanted = Int((share * Double(total)).rounded())
    guard 0 < wanted, wanted < total else {
      throw ExperimentError.cannotMix(
        path: folder.path, reason: "a split of \(total) episodes at \(share) leaves one part empty")
    }
    let counts = MixtureSelection.apportion(wanted, shares: all.map { Double($0.count) })
    var (train, validation): ([[[Int]]], [[[Int]]]) = ([], [])
    for (number, list) in all.enumerated() {
      let chosen = Set(
        MixtureSelection.draw(
          counts[number], of: list.count, seed: seed, stream: .split, number: number))
      train.append([list.indices.filter { chosen.contains($0) }.map { list[$0] }])
      validation.append([list.indices.filter { !chosen.contains($0) }.map { list[$0] }])
    }
    return (train, validation)
  }
}
