import Environments
import GoalCore
import Reporting
public import Statistics
import Support

/// How a policy does from a dataset's states towards what the dataset achieved later.
///
/// An episode starts at the data's step t with the goal m(s_{t+k}), and has as many steps as the
/// world gives. Starts whose goal is reached already are drawn again, up to 16 times, then left
/// out.
public struct DatasetRollouts: Codable, Sendable {
  /// The episodes of one offset, one range of distances, or one part of the data.
  public struct Group: Codable, Sendable {
    /// Their common part.
    public let name: String
    /// Episodes.
    public let episodes: Int
    /// Mean distance of the goal at the start, in the metric's unit.
    public let distance: Double
    /// Share that end at the goal; Wilson's interval.
    public let success: Estimate
    /// Share that are at the goal at some step.
    public let successEver: Estimate
    /// Mean steps until the goal is reached first, of those that reach it; nil if none does.
    public let stepsToSuccess: Estimate?
    /// The same of the data, in whose episode the goal was reached.
    public let stepsOfData: Double
  }

  /// All episodes.
  public let all: Group
  /// By k.
  public let byOffset: [Group]
  /// By thirds of the distance of the goal at the start.
  public let byDistance: [Group]
  /// By whether the policy was trained on the data's episode.
  public let byPart: [Group]
  /// Starts left out because the goal was reached already.
  public let leftOut: Int

  /// A start and a goal.
  struct Start: Sendable {
    /// The place of its episode in the sample.
    let episode: Int
    let step: Int
    let offset: Int
    let goal: [Float]
    let distance: Double
    /// The data's steps from the start until the goal was first reached.
    let stepsOfData: Int
  }

  /// How it went.
  struct Outcome: Sendable {
    let success: Bool
    /// The first step with which the goal was reached; nil for never.
    let firstReached: Int?
  }

  /// Sums up outcomes, in the order of the starts.
  init(_ starts: [Start], _ outcomes: [Outcome], parts: [TrainingPart], leftOut: Int) {
    func group(_ name: String, _ chosen: [Int]) -> Group {
      let mean = { (values: [Double]) in values.reduce(0, +) / Double(values.count) }
      let steps = chosen.compactMap { outcomes[$0].firstReached.map(Double.init) }
      return Group(
        name: name, episodes: chosen.count, distance: mean(chosen.map { starts[$0].distance }),
        success: .wilson(chosen.count { outcomes[$0].success }, of: chosen.count),
        successEver: .wilson(
          chosen.count { outcomes[$0].firstReached != nil }, of: chosen.count),
        stepsToSuccess: steps.isEmpty ? nil : Intervals.mean(steps, in: 0...(.infinity)),
        stepsOfData: mean(chosen.map { Double(starts[$0].stepsOfData) }))
    }
    let places = Array(starts.indices)
    let distances = starts.map(\.distance).sorted()
    let cuts = [0, 1 / 3.0, 2 / 3.0, 1].map { Intervals.quantile(distances, $0) }
    precondition(!starts.isEmpty && starts.count == outcomes.count, "an outcome for every start")
    all = group("all", places)
    func groups(_ all: [(String, [Int])]) -> [Group] {
      all.filter { !$0.1.isEmpty }.map(group)
    }
    byOffset = groups(
      Set(starts.map(\.offset)).sorted().map { offset in
        ("\(offset)", places.filter { starts[$0].offset == offset })
      })
    byDistance = groups(
      (0..<3).map { third in
        let name = "\(Estimate.short(cuts[third])) to \(Estimate.short(cuts[third + 1]))"
        return (
          name,
          places.filter {
            starts[$0].distance >= cuts[third]
              && (starts[$0].distance < cuts[third + 1] || third == 2)
          }
        )
      })
    byPart = groups(
      TrainingPart.allCases.map { part in (part.rawValue, places.filter { parts[$0] == part }) })
    self.leftOut = leftOut
  }

  /// `episodes` starts of each offset, the same for every policy.
  static func starts(
    in sample: DatasetSample, offsets: [Int], episodes: Int, seed: UInt64
  ) throws -> (starts: [Start], leftOut: Int) {
    var (starts, leftOut) = ([Start](), 0)
    let g = sample.task.spec.goal
    for offset in offsets {
      let long = sample.episodes.indices.filter {
        sample.episodes[$0].trajectory.length >= offset
      }
      guard !long.isEmpty else {
        throw ExperimentError.badSettings(
          path: sample.path, reason: "no episode has \(offset) steps, as --offsets asks")
      }
      for number in 0..<episodes {
        var generator = Philox(
          seed: seed, purpose: purpose, index: UInt64(offset) << 32 | UInt64(number))
        var found: Start?
        for _ in 0..<16 where found == nil {
          let place = long[Int(generator.unit() * Double(long.count))]
          let trajectory = sample.episodes[place].trajectory
          let step = Int(generator.unit() * Double(trajectory.length - offset + 1))
          let goal = trajectory.achievedGoal(step + offset, length: g)
          let here = trajectory.achievedGoal(step, length: g)
          guard !sample.task.isReached(here, goal) else { continue }
          let first = (1...offset).first {
            sample.task.isReached(trajectory.achievedGoal(step + $0, length: g), goal)
          }
          found = Start(
            episode: place, step: step, offset: offset, goal: goal,
            distance: sample.task.distance(here, goal), stepsOfData: first ?? offset)
        }
        if let found { starts.append(found) } else { leftOut += 1 }
      }
    }
    guard !starts.isEmpty else {
      throw ExperimentError.badSettings(
        path: sample.path,
        reason: "no start was found whose goal is not reached already: give larger --offsets")
    }
    return (starts, leftOut)
  }

  /// The purpose that separates these draws from others: "STARTS" in ASCII.
  private static let purpose: UInt64 = 0x5354_4152_5453

  /// Rolls a policy out from every start.
  static func outcomes(
    of policy: NamedPolicy, from starts: [Start], in sample: DatasetSample, _ world: LoadedWorld,
    workers: Int, progress: ProgressReport? = nil
  ) throws -> [Outcome] {
    let outcomes = try Parallel.map(
      count: starts.count, workers: workers,
      context: {
        (
          stage: try DatasetStage(world.makeEnvironment(), sample),
          actor: policy.policy.makeActor()
        )
      }
    ) { context, number in
      defer { progress?.advance() }
      return try outcome(of: context.actor, from: starts[number], number, on: context.stage)
    }
    progress?.finish()
    return outcomes
  }

  private static func outcome(
    of actor: any GoalActor, from start: Start, _ number: Int, on stage: DatasetStage
  ) throws -> Outcome {
    var shown = try stage.set(start)
    actor.begin(
      goal: start.goal, seed: Seeds.world(.evaluate, seed: 0, episode: Int64(number)))
    var first: Int?
    var step = 0
    while true {
      let action = try stage.task.spec.action.clipped(actor.act(shown.observation))
      let next = stage.environment.step(action)
      step += 1
      if next.isSuccess, first == nil { first = step }
      shown = next.next
      if next.terminated || next.truncated {
        return Outcome(success: next.isSuccess, firstReached: first)
      }
    }
  }
}

extension Estimate {
  /// A share with Wilson's interval.
  static func wilson(_ successes: Int, of count: Int) -> Estimate {
    Intervals.wilson(successes: successes, of: count)
  }
}
