import GoalCore
import Storage

/// The shards of a mixture, and what each is made of.
///
/// A shard whose episodes are all taken is taken as it is; the others' episodes are written anew,
/// in their order, as shards of the size that their source's recipe gives. Each shard has one
/// source.
struct MixturePlan: Sendable {
  /// Episodes of one shard of an input.
  struct Pick: Sendable {
    let input: Int
    let entry: ShardEntry
    /// Their places in that shard.
    var places: Set<Int>
  }

  /// How a shard is made.
  enum Making: Sendable {
    /// By taking an input's.
    case whole(input: Int, entry: ShardEntry)
    /// By writing episodes anew.
    case picked([Pick])
  }

  private(set) var shards: [PlannedShard] = []
  private(set) var makings: [Making] = []
  private(set) var sources: [MixtureSource] = []
  /// Episodes taken of each input.
  let taken: [Int]

  private var numbers: [[Int64]] = []  // by source
  private var sourceOfInput: [[Int: Int]]  // by input, the place of its own source in `sources`
  private let compress: Bool?
  private let inputs: [MixtureInputs.Input]

  /// The maximum number of shards of an input that is taken several times: a list of them is held,
  /// and each has two files.
  private static let repeatedLimit = 1 << 16

  /// Plans a mixture of the episodes at `lists` of each input: ascending places, one list a round.
  init(_ inputs: [MixtureInputs.Input], lists: [[[Int]]], compress: Bool?) throws {
    self.inputs = inputs
    self.compress = compress
    sourceOfInput = Array(repeating: [:], count: inputs.count)
    taken = lists.map { $0.reduce(0) { $0 + $1.count } }
    for (input, rounds) in zip(inputs, lists) where rounds.count > 1 {
      let count = rounds.count * input.manifest.shards.count
      guard count <= MixturePlan.repeatedLimit else {
        throw ExperimentError.cannotMix(
          path: input.path,
          reason: "would be taken \(rounds.count) times with --repeat, in \(count) shards, and "
            + "\(MixturePlan.repeatedLimit) are allowed: ask for fewer episodes")
      }
    }
    for (input, rounds) in lists.enumerated() {
      for list in rounds { try add(list, of: input) }
    }
    sources = zip(sources, numbers).map { source, numbers in
      MixtureSource(
        id: source.id, sha256: source.sha256, origin: source.origin, episodes: EpisodeSet(numbers))
    }
  }

  /// An episode that is there twice, as the source's id and the number, or nil.
  var firstDuplicate: (source: String, episode: Int64)? {
    var byOrigin: [EpisodeOrigin: [(number: Int64, source: Int)]] = [:]
    for (place, source) in sources.enumerated() {
      byOrigin[source.origin.decidingEpisodes, default: []] += numbers[place].map { ($0, place) }
    }
    for (place, source) in sources.enumerated() {
      let all = (byOrigin[source.origin.decidingEpisodes] ?? []).sorted { $0.number < $1.number }
      for (one, next) in zip(all, all.dropFirst())
      where one.number == next.number && one.source == place {
        return (source.id, one.number)
      }
    }
    return nil
  }

  /// Adds a round through an input: first the shards that are taken whole, then the rest.
  private mutating func add(_ list: [Int], of number: Int) throws {
    let input = inputs[number]
    let spec = input.manifest.task.spec
    var rest: [(pick: Pick, source: Int)] = []
    var next = list.startIndex
    for (shard, entry) in input.manifest.shards.enumerated() {
      let start = next
      while next < list.endIndex, list[next] < input.starts[shard + 1] { next += 1 }
      guard next > start else { continue }
      let source = try place(of: entry, in: number)
      let isCompressed = try input.manifest.isCompressed(entry)
      if next - start == entry.episodes.count, compress ?? isCompressed == isCompressed {
        append(
          entry.episodes.numbers, source: source, isCompressed: isCompressed,
          .whole(input: number, entry: entry))
      } else {
        let places = Set(list[start..<next].map { $0 - input.starts[shard] })
        rest.append((Pick(input: number, entry: entry, places: places), source))
      }
    }
    var open = Open()
    for (pick, source) in rest {
      let limit =
        sources[source].origin.recipe.map {
          DatasetPlan.episodesPerShard(
            $0, spec: spec, stateLength: input.manifest.stateLength,
            imageShape: input.manifest.identity.imageShape,
            isCategorical: input.manifest.isCategorical)
        } ?? max(1, DatasetPlan.byteLimit / max(1, pick.entry.bytes / pick.entry.episodes.count))
      let isCompressed = try compress ?? input.manifest.isCompressed(pick.entry)
      let all = pick.entry.episodes.numbers
      for place in pick.places.sorted() {
        if !open.takes(all[place], source, isCompressed, limit) { close(&open) }
        open.add(all[place], at: place, pick, source, isCompressed)
      }
    }
    close(&open)
  }

  /// A shard that is being filled.
  private struct Open {
    var numbers: [Int64] = []
    var picks: [Pick] = []
    var source = 0
    var isCompressed = false

    func takes(_ number: Int64, _ source: Int, _ isCompressed: Bool, _ limit: Int) -> Bool {
      guard let last = numbers.last else { return true }
      return number > last && source == self.source && isCompressed == self.isCompressed
        && numbers.count < limit
    }

    mutating func add(
      _ number: Int64, at place: Int, _ pick: Pick, _ source: Int, _ isCompressed: Bool
    ) {
      numbers.append(number)
      self.source = source
      self.isCompressed = isCompressed
      if let last = picks.last, last.input == pick.input, last.entry.index == pick.entry.index {
        picks[picks.count - 1].places.insert(place)
      } else {
        picks.append(Pick(input: pick.input, entry: pick.entry, places: [place]))
      }
    }
  }

  private mutating func close(_ open: inout Open) {
    if !open.numbers.isEmpty {
      append(
        open.numbers, source: open.source, isCompressed: open.isCompressed, .picked(open.picks))
    }
    open = Open()
  }

  private mutating func append(
    _ numbers: [Int64], source: Int, isCompressed: Bool, _ making: Making
  ) {
    self.numbers[source] += numbers
    shards.append(
      PlannedShard(
        index: shards.count, episodes: EpisodeSet(numbers), isCompressed: isCompressed,
        source: source))
    makings.append(making)
  }

  /// The place in `sources` of a shard's source, which is added if it is not there.
  private mutating func place(of entry: ShardEntry, in input: Int) throws -> Int {
    let key = entry.source ?? 0
    if let known = sourceOfInput[input][key] { return known }
    let source = try inputs[input].manifest.source(of: entry)
    let place = sources.firstIndex { $0.sha256 == source.sha256 } ?? sources.count
    if place == sources.count {
      sources.append(source)
      numbers.append([])
    }
    sourceOfInput[input][key] = place
    return place
  }
}
