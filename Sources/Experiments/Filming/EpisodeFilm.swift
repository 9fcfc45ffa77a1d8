import Environments
public import Foundation
import GoalCore
import Reporting
import Storage
import Support

/// The film of an episode of a dataset.
public struct EpisodeFilm: Codable, Sendable, Equatable {
  /// The source of the pictures.
  public enum Origin: String, Codable, Sendable {
    /// The simulator's states that are stored with the episode.
    case states
    /// The episode's seed and actions, simulated again.
    case replay
  }

  /// The dataset's folder.
  public let dataset: String
  /// The episode's number.
  public let episode: Int64
  /// The shard that it lies in.
  public let shard: Int
  /// The film's file.
  public let video: String
  /// The source of the pictures.
  public let origin: Origin
  /// Steps of the episode.
  public let steps: Int
  /// The first state whose observation is not the stored one, to the bit; nil if all are.
  public let differsFrom: Int?

  /// It in a line.
  public var text: String {
    let from =
      switch origin {
      case .states: "drawn from its stored states"
      case .replay: "simulated again from its seed and actions"
      }
    let match =
      differsFrom.map { "; NOT what is stored from state \($0) on" }
      ?? "; every observation is the stored one"
    return "video: \(video): episode \(episode) of \(dataset), \(steps) steps, \(from)\(match)"
  }

  /// Films a stored episode, from its states if there are any, else by simulating it again.
  ///
  /// Throws if the path is no dataset or has no such episode, or if the episode has neither states
  /// nor a seed. Also if the world has no pictures, and if ffmpeg is missing or fails.
  public static func write(
    episode: Int64, of path: String, shard: Int? = nil, size: Int = 320, to file: URL
  ) throws -> EpisodeFilm {
    guard case .dataset(let folder) = try Inspection.subject(path) else {
      throw ExperimentError.notFilmable(
        path: path, episode: episode, reason: "only a dataset has stored episodes")
    }
    let (trajectory, task, place, kind) = try stored(episode, in: folder, shard: shard)
    let (pictures, origin, differsFrom) = try draw(trajectory, of: task, as: kind, size: size)
    try Film.write(pictures, rate: Video.rate(task.spec), to: file)
    return EpisodeFilm(
      dataset: path, episode: episode, shard: place, video: file.relativePath, origin: origin,
      steps: trajectory.length, differsFrom: differsFrom)
  }

  /// An episode by its number, and by its shard's if a mixture has several of that number.
  static func stored(
    _ episode: Int64, in folder: URL, shard: Int? = nil
  ) throws -> (trajectory: Trajectory, task: GoalTask, shard: Int, kind: EpisodeKind?) {
    let dataset = try Dataset(at: folder)
    let shards = dataset.manifest.shards.filter { shard == nil || shard == $0.index }
    let found = shards.filter { $0.episodes.contains(episode) }
    guard let shard = found.first else {
      // A mixture's numbers can be in thousands of pieces.
      let there = EpisodeSet(shards.flatMap(\.episodes.numbers)).description.split(separator: ",")
      throw ExperimentError.noEpisode(
        path: folder.relativePath, episode: episode,
        there: there.isEmpty
          ? "none in that shard"
          : there.prefix(8).joined(separator: ",") + (there.count > 8 ? ",..." : ""))
    }
    guard found.count == 1 else {
      throw ExperimentError.severalEpisodes(
        path: folder.relativePath, episode: episode, shards: found.map(\.index))
    }
    let reader = try dataset.open(shard)
    guard reader.has(.states) || reader.has(.seeds) else {
      throw ExperimentError.notFilmable(
        path: folder.relativePath, episode: episode, reason: "neither states nor seeds are stored")
    }
    let recipe = try dataset.manifest.origin(of: shard).recipe
    let law = try recipe?.goals.map {
      try EnvironmentRegistry.world(dataset.manifest.task.identifier).law($0)
    }
    guard !reader.goalsMove || law?.movesGoals == true, reader.has(.desiredGoals) else {
      throw ExperimentError.notFilmable(
        path: folder.relativePath, episode: episode, reason: "it has no one desired goal")
    }
    guard let trajectory = try reader.trajectories().first(where: { $0.index == episode }) else {
      throw FileError.malformed(
        dataset.url(of: shard).path, rule: "must hold episode \(episode), as listed",
        found: "others")
    }
    return (trajectory, dataset.manifest.task, shard.index, law.map { .data($0) })
  }

  /// The film's pictures, what they are drawn from, and the first state that is not the stored one.
  static func draw(
    _ trajectory: Trajectory, of task: GoalTask, as kind: EpisodeKind? = nil, size: Int
  ) throws -> (pictures: [Picture], origin: Origin, differsFrom: Int?) {
    let environment = try EnvironmentRegistry.world(task.identifier).load().makeEnvironment()
    guard let visible = environment as? any VisibleEnvironment else {
      throw ExperimentError.invisible(world: task.identifier)
    }
    let length = trajectory.states.count / (trajectory.length + 1)
    let restorable = environment as? any RestorableEnvironment
    let origin: Origin = restorable?.stateLength == length ? .states : .replay
    let o = task.spec.observation
    var pictures: [Picture] = []
    var differsFrom: Int?
    let g = task.spec.goal
    for t in 0...trajectory.length {
      let shown: GoalObservation
      let goal =
        trajectory.desiredGoal.count > g
        ? Array(trajectory.desiredGoal[t * g..<(t + 1) * g]) : trajectory.desiredGoal
      if origin == .states, let restorable {
        shown = restorable.restore(
          state: Array(trajectory.states[t * length..<(t + 1) * length]),
          desiredGoal: goal, step: t)
      } else if t == 0 {
        shown = environment.reset(seed: trajectory.seed, as: kind)
      } else {
        shown = environment.step(trajectory.action(t - 1, length: task.spec.action.length)).next
      }
      if differsFrom == nil,
        !shown.observation.elementsEqual(trajectory.observations[t * o..<(t + 1) * o])
          || shown.desiredGoal != goal
      {
        differsFrom = t
      }
      let reached = t > 0 && !trajectory.successes.isEmpty && trajectory.successes[t - 1]
      pictures.append(try Video.shot(of: visible, reached: reached, size: size))
    }
    return (Video.rested(pictures, task.spec), origin, differsFrom)
  }
}

extension Trajectory {
  /// The action of a step.
  func action(_ step: Int, length: Int) -> Action {
    switch actions {
    case .continuous(let values):
      .continuous(Array(values[step * length..<(step + 1) * length]))
    case .discrete(let values): .discrete(Int(values[step]))
    }
  }
}
