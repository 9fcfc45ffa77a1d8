import Environments
import Foundation
import GoalCore
import Reporting

/// Films episodes of a policy into one file, a grid of them side by side.
enum Video {
  /// Frames a second: the speed of the simulated time.
  static func rate(_ spec: GoalSpec) -> Double { 1 / spec.controlPeriod }

  /// Rolls the first `episodes` of an evaluation out, of named tasks in turn, and writes them to
  /// `file`, `.mp4` or `.gif`.
  ///
  /// Each picture has its episode's number and step, and at the end SUCCESS or FAILURE, which is
  /// what the evaluation counts: whether the goal is reached at the last step. Its frame is green
  /// while the goal is reached, grey otherwise. Throws if the world has no pictures, no renderer is
  /// found, or ffmpeg is missing or fails.
  static func write(
    _ policy: NamedPolicy, in world: World, starts: EvaluationStarts, episodes: Int,
    size: Int = 320, to file: URL, progress: ProgressReport? = nil
  ) throws {
    let films = try films(
      policy, in: world, starts: starts, episodes: episodes, size: size, progress: progress)
    try Film.write(
      Film.grid(films.map { rested($0, world.task.spec) }), rate: rate(world.task.spec), to: file)
  }

  /// The pictures of each episode.
  private static func films(
    _ policy: NamedPolicy, in world: World, starts: EvaluationStarts, episodes: Int, size: Int,
    progress: ProgressReport? = nil
  ) throws -> [[Picture]] {
    let loaded = try world.load()
    let environment = try loaded.makeEnvironment()
    guard let visible = environment as? any VisibleEnvironment else {
      throw ExperimentError.invisible(world: world.task.identifier)
    }
    let rollout = Rollout(environment: environment, policy: policy, isEvaluation: true)
    var films: [[Picture]] = []
    for episode in 0..<episodes {
      var film: [Picture] = []
      let (seed, kind) = starts.turn(episode)
      let trajectory = try rollout.episode(index: Int64(episode), seed: seed, as: kind) {
        trajectory in
        let isEnd = rollout.isOver(trajectory)
        film.append(
          try shot(
            of: visible, reached: trajectory.successes.last ?? false, size: size,
            label: isEnd ? nil : "\(episode) STEP \(trajectory.length)"))
      }
      end(&film, success: trajectory.successes.last ?? false, "\(episode)")
      films.append(film)
      progress?.advance()
    }
    progress?.finish()
    return films
  }

  /// Labels a film's last picture with how the episode ended.
  static func end(_ film: inout [Picture], success: Bool, _ name: String) {
    guard !film.isEmpty else { return }
    film[film.count - 1].label(
      "\(name) \(success ? "SUCCESS" : "FAILURE")", success ? (30, 140, 55) : (190, 40, 35))
  }

  /// The world as it stands, in its frame, with a label in the corner.
  static func shot(
    of visible: any VisibleEnvironment, reached: Bool, size: Int, label: String? = nil
  ) throws -> Picture {
    var picture = try visible.picture(width: size, height: size)
    if let label { picture.label(label, (70, 70, 76)) }
    picture.frame(reached ? (40, 190, 70) : (110, 110, 110), thickness: max(2, size / 64))
    return picture
  }

  /// A film with half a second's rest on its end.
  static func rested(_ film: [Picture], _ spec: GoalSpec) -> [Picture] {
    guard let end = film.last else { return film }
    return film + [Picture](repeating: end, count: Int(rate(spec) / 2))
  }

  /// The first pictures of episodes in a row, and their last ones below.
  static func ends(
    _ policy: NamedPolicy, in world: World, seed: UInt64, episodes: Int, size: Int = 320
  ) throws -> Picture {
    let films = try films(
      policy, in: world, starts: EvaluationStarts(seed: seed, episodes: episodes),
      episodes: episodes, size: size)
    let pictures = films.compactMap(\.first) + films.compactMap(\.last)
    return Film.grid(pictures.map { [$0] }, columns: episodes)[0]
  }
}
