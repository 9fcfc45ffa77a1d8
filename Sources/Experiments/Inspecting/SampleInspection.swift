import Foundation
import GoalCore
import Learners
public import Replay

/// The draws of a sampling scheme from datasets, next to their expected distribution.
public struct SampleInspection: Inspected {
  /// How many goals came from one place, and how many should have.
  public struct Share: Codable, Sendable {
    /// original, current, trajectory or random.
    public let origin: String
    /// Share of the rows drawn.
    public let drawn: Double
    /// Share that the closed form has.
    public let expected: Double
  }

  /// An offset, and how often it was drawn.
  public struct Offset: Codable, Sendable {
    /// `j − t − 1` of a goal state `j` and a step `t`.
    public let offset: Int
    /// Rows, or batches if a batch has one draw.
    public let drawn: Int
    /// The expected share.
    public let expected: Double
  }

  /// The goals of the policy or of the value function.
  public struct Goals: Codable, Sendable {
    /// Where goals come from.
    public let shares: [Share]
    /// Offsets of goals in the row's own episode, in ascending order.
    public let offsets: [Offset]
    /// Σ (drawn − expected)² / expected over offsets, those with fewer than 5 expected as one.
    public let chiSquared: Double
    /// Terms of that sum less 1.
    public let degreesOfFreedom: Int
    /// The p-value: the probability of a sum as large if the closed form holds, by Wilson and
    /// Hilferty's formula.
    public let chance: Double
    /// The largest difference between the cumulated shares drawn and expected.
    public let largestDeviation: Double
    /// Share of rows that are rewarded as being at the goal.
    public let rewardDensity: Double
  }

  /// The request.
  public let scheme: String
  /// The scheme as values.
  public let settings: SamplingScheme
  /// The datasets' folders.
  public let datasets: [String]
  /// Episodes and steps there are.
  public let episodes: Int
  /// Steps there are.
  public let steps: Int
  /// The seed of the draw.
  public let seed: UInt64
  /// Batches drawn.
  public let batches: Int
  /// Goals of the policy.
  public let policy: Goals
  /// Goals of the value function.
  public let value: Goals
  /// Mean share of a batch's rows whose episode and step another row of it has already.
  public let duplicates: Double
  /// Mean number of different pairs of step and goal offset in a batch.
  public let pairs: Double
  /// Warnings to a reader before training with it.
  public let warnings: [String]

  /// Draws batches of a named scheme, or of a learner's own, and counts.
  ///
  /// `text` is `NAME[:key=value,...]`, or a learner's id if `ofLearner`. Throws `SchemeError`, and
  /// what opening the datasets throws.
  public static func run(
    _ datasets: [String], scheme text: String, ofLearner: Bool = false, batches: Int = 400,
    seed: UInt64 = 0
  ) throws -> SampleInspection {
    let scheme = ofLearner ? nil : try NamedScheme.scheme(text)
    var configuration = RunConfiguration()
    configuration.datasets = datasets
    let data = try TrainingData(configuration)
    let settings =
      try scheme ?? LearnerRegistry.entry(text).make(task: data.task, seed: 0).scheme
    guard data.hasDesiredGoals || !settings.usesDesiredGoals else {
      throw ExperimentError.noDesiredGoals(
        path: datasets.joined(separator: ", "), learner: text,
        settings: TrainingData.sharesOfOriginalGoals(text))
    }
    let sampler = Sampler(settings, sources: data.training, seed: seed)
    var batch = sampler.makeBatch()
    var (policy, value) = (GoalCounts(), GoalCounts())
    var (duplicates, pairs) = (0.0, 0.0)
    // Rows of a batch that share a draw are no draws of their own.
    let isShared = settings.sharing != .none
    for number in 0..<batches {
      sampler.draw(UInt64(number), into: &batch)
      let rows = isShared ? 1 : batch.count
      policy.add(batch.policyOrigins.prefix(rows), batch.offsets, batch.policyRewards)
      value.add(batch.valueOrigins.prefix(rows), batch.valueOffsets, batch.valueRewards)
      var places = Set<[Int32]>()
      var drawn = Set<[Int32]>()
      for row in 0..<batch.count {
        places.insert([batch.sources[row], batch.episodes[row], batch.steps[row]])
        drawn.insert([
          batch.steps[row], batch.offsets[row], Int32(batch.policyOrigins[row].rawValue),
        ])
      }
      duplicates += 1 - Double(places.count) / Double(batch.count)
      pairs += Double(drawn.count)
    }
    let lengths = lengths(of: data.training, settings.episodes)
    let expected = GoalLaw(settings.policyGoals, lengths)
    let tables = data.training.map(\.source.table)
    return SampleInspection(
      scheme: text, settings: settings, datasets: datasets,
      episodes: tables.reduce(0) { $0 + $1.count }, steps: tables.reduce(0) { $0 + $1.stepCount },
      seed: seed, batches: batches, policy: policy.against(expected),
      value: value.against(GoalLaw(settings.valueGoals, policy: expected, lengths)),
      duplicates: duplicates / Double(batches), pairs: pairs / Double(batches),
      warnings: warnings(settings))
  }

  /// The chance of each length among drawn rows.
  private static func lengths(of sources: [WeightedSource], _ law: EpisodeDraw) -> [Int: Double] {
    var shares: [Int: Double] = [:]
    let total = sources.reduce(0) { $0 + $1.weight }
    for source in sources {
      let table = source.source.table
      for episode in 0..<table.count {
        let length = table.length(episode)
        let share =
          switch law {
          case .episodes: 1 / Double(table.count)
          case .steps: Double(length) / Double(table.stepCount)
          }
        shares[length, default: 0] += share * source.weight / total
      }
    }
    return shares
  }

  private static func warnings(_ scheme: SamplingScheme) -> [String] {
    var found: [String] = []
    switch scheme.sharing {
    case .none: break
    case .pair:
      found.append(
        "this scheme draws one pair of start and goal for a whole batch: in episodes of one length all "
          + "\(scheme.batchSize) rows have the same step and offset, so a batch counts as one draw")
    case .goalOfStep:
      found.append(
        "this scheme draws one goal for each step, for a whole batch: rows of the same step have the "
          + "same offset, so a batch counts as one draw")
    }
    if case .pair(.withoutSwap, _) = scheme.policyGoals {
      found.append(
        "this generator is faulty, as in the log: half of all goals are the next state")
    }
    return found
  }
}

/// Counts of goals as they are drawn.
private struct GoalCounts {
  var origins: [GoalOrigin: Int] = [:]
  var offsets: [Int: Int] = [:]
  var rewarded = 0
  var rewards = 0

  mutating func add(_ drawn: ArraySlice<GoalOrigin>, _ distances: [Int32], _ values: [Float]) {
    for (row, origin) in drawn.enumerated() {
      origins[origin, default: 0] += 1
      if origin == .current || origin == .trajectory {
        offsets[Int(distances[row]), default: 0] += 1
      }
    }
    rewarded += values.count { $0 == 0 }
    rewards += values.count
  }

  func against(_ law: GoalLaw) -> SampleInspection.Goals {
    let rows = Double(origins.values.reduce(0, +))
    let names = Set(offsets.keys).union(law.offsets.keys).sorted()
    let found = names.map {
      SampleInspection.Offset(
        offset: $0, drawn: offsets[$0] ?? 0, expected: rows * (law.offsets[$0] ?? 0))
    }
    var terms: [(drawn: Double, expected: Double)] = []
    var rest = (drawn: 0.0, expected: 0.0)
    var (sum, largest) = (0.0, 0.0)
    for offset in found {
      let drawn = Double(offset.drawn)
      sum += (drawn - offset.expected) / max(1, rows)
      largest = max(largest, abs(sum))
      if offset.expected < 5 {
        rest = (rest.drawn + drawn, rest.expected + offset.expected)
      } else {
        terms.append((drawn, offset.expected))
      }
    }
    if rest.drawn + rest.expected > 0 { terms.append(rest) }
    let squared = terms.reduce(0) {
      let difference = $1.drawn - $1.expected
      return $0 + (difference == 0 ? 0 : difference * difference / $1.expected)
    }
    let freedom = max(0, terms.count - 1)
    var chance = 1.0
    if freedom > 0 {
      let spread = 2 / (9 * Double(freedom))
      let z = (cbrt(squared / Double(freedom)) - 1 + spread) / spread.squareRoot()
      chance = 0.5 * erfc(z / 2.0.squareRoot())
    }
    return SampleInspection.Goals(
      shares: GoalOrigin.allCases.map {
        SampleInspection.Share(
          origin: "\($0)", drawn: Double(origins[$0] ?? 0) / max(1, rows),
          expected: law.origins[$0] ?? 0)
      }, offsets: found, chiSquared: squared, degreesOfFreedom: freedom, chance: chance,
      largestDeviation: largest, rewardDensity: Double(rewarded) / Double(max(1, rewards)))
  }
}

/// The expected distribution of origins and offsets, over episodes of several lengths.
private struct GoalLaw {
  var origins: [GoalOrigin: Double] = [:]
  var offsets: [Int: Double] = [:]

  init(_ goals: GoalSelection, _ lengths: [Int: Double]) {
    for (length, share) in lengths {
      for cell in goals.distribution(length: length).cells {
        origins[cell.origin, default: 0] += share * cell.probability
        if cell.origin == .current || cell.origin == .trajectory {
          offsets[cell.offset, default: 0] += share * cell.probability
        }
      }
    }
  }

  init(_ goals: ValueGoals, policy: GoalLaw, _ lengths: [Int: Double]) {
    switch goals {
    case .own(let selection): self.init(selection, lengths)
    case .policys(let original):
      self = policy
      origins = policy.origins.mapValues { $0 * (1 - original) }
      origins[.original, default: 0] += original
      offsets = policy.offsets.mapValues { $0 * (1 - original) }
    }
  }
}
