/// A start and a goal that a world is evaluated on.
public struct EvaluationTask: Sendable, Equatable {
  /// Its number in the world, from 1.
  public let number: Int
  /// Where it starts and what it asks for.
  public let summary: String

  /// Makes a task from its number and a few words.
  public init(number: Int, summary: String) {
    self.number = number
    self.summary = summary
  }
}

/// How the episodes of a dataset start in a world, what they are asked for and how long they are.
///
/// A world with named tasks has data of its own: long episodes, which do not end at success, from
/// other starts than its tasks'.
public struct DataLaw: Sendable, Equatable {
  /// Its name in a recipe, such as `navigate`.
  public let name: String
  /// A summary in a few words.
  public let summary: String
  /// Steps of an episode.
  public let steps: Int
  /// Whether another goal is asked for in the state after each in which one is reached.
  public let movesGoals: Bool

  /// Makes a law from its parts.
  public init(name: String, summary: String, steps: Int, movesGoals: Bool) {
    self.name = name
    self.summary = summary
    self.steps = steps
    self.movesGoals = movesGoals
  }
}

/// The kind of an episode in a world with named tasks.
public enum EpisodeKind: Sendable, Equatable {
  /// An evaluation on the task of that number, from 1.
  case task(Int)
  /// A dataset's, by one of the world's laws.
  case data(DataLaw)
}

/// A world that is evaluated on named tasks.
///
/// Its evaluations end at the first success, which whoever evaluates sees to: the world itself goes
/// on, since its data do.
public protocol TaskedEnvironment: GoalEnvironment {
  /// Starts the episode of this seed, of a task or a law that the world has.
  func reset(seed: UInt64, as kind: EpisodeKind) -> GoalObservation
}

extension GoalEnvironment {
  /// Starts the episode of this seed; of a kind only in a world with named tasks.
  public func reset(seed: UInt64, as kind: EpisodeKind?) -> GoalObservation {
    guard let kind else { return reset(seed: seed) }
    guard let tasked = self as? any TaskedEnvironment else {
      preconditionFailure("\(task.identifier) has no named tasks")
    }
    return tasked.reset(seed: seed, as: kind)
  }
}

/// An actor that can be given another goal within an episode.
public protocol AimedActor: GoalActor {
  /// Goes on towards another goal `[G]`.
  func aim(at goal: [Float])
}
