public import Foundation
import GoalCore
import Storage
import Support
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
    /// The draw's seed, below 2²⁸.
    public var seed: UInt64
    /// The share of the episodes that the train part gets, or nil for one dataset.
    public var split: Double?
    /// Whether an episode may be taken several times.
    public var repeats = false
    /// Whether whole shards are copied if they could be linked.
    public var copies = false
    /// Whether all shards are to be compressed, or none; nil if each stays as it is.
    public var compress: Bool?

    /// Makes a request of these datasets with nothing else asked for.
    public init(_ datasets: [String], seed: UInt64) {
      self.datasets = datasets
      self.seed = seed
    }
  }

  /// Makes what a request lacks in `folder`, and, of a split, in `<folder>-val`.
  ///
  /// The same bytes come out for any number of workers and after any interruption; what is there is
  /// left alone.
  public static func run(
    _ request: Request, in folder: URL, workers: Int?, silent: Bool = false
  ) throws -> [TrajectoryCollection.Summary] {
    if request.repeats, let episodes = request.episodes, !(OptionRange.repeated ~= episodes) {
      throw ExperimentError.badSettings(
        path: "mix --repeat",
        reason: "takes from 1 to \(OptionRange.repeated.upperBound) episodes, found \(episodes)")
    }
    let inputs = try MixtureInputs(request.datasets).all
    let parts: [(folder: URL, part: Mixture.Part?, lists: [[[Int]]])]
    let lists = try select(request, inputs)
    let isDrawn = isDrawn(request, lists, inputs)
    if let share = request.split {
      let (train, validation) = try split(lists, share: share, seed: request.seed, folder)
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
          MixtureInput(id: $0.manifest.id, sha256: $0.digest, weight: $0.weight, episodes: $1)
        },
        sources: plan.sources,
        seed: isDrawn ? request.seed : nil,
        split: request.split, part: part, repeats: request.repeats, compress: request.compress)
      return try make(
        mixture, plan, inputs, in: folder, copies: request.copies,
        workers: workers ?? Parallel.cores, silent: silent)
    }
  }

  /// Whether what is asked for depends on the seed.
  public static func needsSeed(_ request: Request) throws -> Bool {
    let inputs = try MixtureInputs(request.datasets).all
    return isDrawn(request, try select(request, inputs), inputs)
  }

  private static func isDrawn(
    _ request: Request, _ lists: [[[Int]]], _ inputs: [MixtureInputs.Input]
  ) -> Bool {
    if request.split != nil { return true }
    return request.onlyEpisodes == nil
      && zip(lists, inputs).contains { rounds, input in
        rounds.contains { $0.count < input.count } || rounds.isEmpty
      }
  }

  // MARK: - Which episodes

  /// The places of the episodes that are taken of each input, one list a round.
  static func select(
    _ request: Request, _ inputs: [MixtureInputs.Input]
  ) throws -> [[[Int]]] {
    let sizes = inputs.map(\.count)
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
          reason: "has \(input.count) episodes, and \(count) are asked of it: "
            + "ask for fewer, or give --repeat")
      }
      return zip(inputs.indices, counts).map { number, count in
        MixtureSelection.rounds(count, of: sizes[number], seed: request.seed, number: number)
      }
    }
    guard let asked = request.episodes, asked != total else {
      return sizes.map { [Array(0..<$0)] }
    }
    guard asked < total else {
      throw ExperimentError.cannotMix(
        path: inputs.map(\.path).joined(separator: ", "),
        reason: "there are \(total) episodes, and \(asked) are asked for: "
          + "ask for fewer, or give --repeat")
    }
    let drawn = MixtureSelection.draw(
      asked, of: total, seed: request.seed, stream: .draw, number: 0)
    var start = 0
    return sizes.map { size in
      defer { start += size }
      return [drawn.filter { start..<(start + size) ~= $0 }.map { $0 - start }]
    }
  }

  /// The places of the episodes of these numbers in the one dataset that is given.
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
    let places = numbers.indices.filter { set.contains(numbers[$0]) }
    let there = Set(places.map { numbers[$0] })
    // Not all numbers of the set, which may be far more than the dataset's.
    let wanted = set.ranges.lazy.flatMap { $0 }
    if let missing = wanted.first(where: { !there.contains($0) }) {
      throw ExperimentError.cannotMix(path: input.path, reason: "has no episode \(missing)")
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
