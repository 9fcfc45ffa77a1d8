import Environments
public import Foundation
import GoalCore
public import Reporting

/// Films and paths of episodes that start at a dataset's states.
public enum DatasetFilm {
  /// An episode: the dataset's states up to the start, then the policy's.
  struct Take {
    var pictures: [Picture] = []
    var path: PlanePath
  }

  /// Films the first starts of an evaluation against the first dataset, `.mp4` or `.gif`.
  ///
  /// The data's part has a frame in amber and the label DATA, the start rests for half a second as
  /// START, and the policy's part is as in `Video`.
  public static func write(
    _ policy: String, _ request: DatasetEvaluation.Request, episodes: Int, size: Int = 320,
    to file: URL
  ) throws {
    let (takes, task) = try play(policy, request, episodes: episodes, size: size)
    try Film.write(
      Film.grid(takes.map { Video.rested($0.pictures, task.spec) }), rate: Video.rate(task.spec),
      to: file)
  }

  /// The same episodes as paths of the achieved goal in the plane.
  public static func paths(
    _ policy: String, _ request: DatasetEvaluation.Request, episodes: Int
  ) throws -> SVGFigure {
    let (takes, task) = try play(policy, request, episodes: episodes, size: nil)
    return try PlanePath.figure(
      takes.map(\.path), task: task,
      title: "\(RunName.short(policy, among: [])) from states of "
        + RunName.short(request.datasets[0], among: []))
  }

  private static func play(
    _ name: String, _ request: DatasetEvaluation.Request, episodes: Int, size: Int?
  ) throws -> ([Take], GoalTask) {
    let sample = try DatasetSample(request.datasets[0], episodes: request.readEpisodes)
    let drawn = try DatasetRollouts.starts(
      in: sample, offsets: request.offsets, episodes: request.episodes, seed: request.seed
    ).starts
    let world = try EnvironmentRegistry.world(sample.task.identifier)
    let stage = try DatasetStage(world.load().makeEnvironment(), sample)
    if size != nil, !(stage.environment is any VisibleEnvironment) {
      throw ExperimentError.invisible(world: sample.task.identifier)
    }
    let actor = try Policies.named(name, for: world).policy.makeActor()
    // Spread over the offsets.
    let count = min(episodes, drawn.count)
    let takes = try (0..<count).map { number in
      let place = number * drawn.count / count
      return try take(drawn[place], number: place, on: stage, actor, size: size)
    }
    return (takes, sample.task)
  }

  private static func take(
    _ start: DatasetRollouts.Start, number: Int, on stage: DatasetStage, _ actor: any GoalActor,
    size: Int?
  ) throws -> Take {
    let task = stage.task
    var take = Take(path: PlanePath("\(number)", goal: start.goal))
    let visible = stage.environment as? any VisibleEnvironment
    func shoot(_ label: String, _ colour: (UInt8, UInt8, UInt8)) throws {
      guard let size, let visible else { return }
      var picture = try visible.picture(width: size, height: size)
      picture.label(label, (70, 70, 76))
      picture.frame(colour, thickness: max(2, size / 64))
      take.pictures.append(picture)
    }
    var step = 0
    var shown = try stage.set(start) { shown in
      take.path.data.append(shown.achievedGoal)
      try shoot("\(number) DATA \(step)", (225, 150, 20))
      step += 1
    }
    take.path.data.append(shown.achievedGoal)
    take.path.policy.append(shown.achievedGoal)
    for _ in 0..<Int(Video.rate(task.spec) / 2) + 1 {
      try shoot("\(number) START", (225, 150, 20))
    }
    actor.begin(
      goal: start.goal, seed: Seeds.world(.evaluate, seed: 0, episode: Int64(number)))
    step = 0
    while true {
      let next = try stage.environment.step(
        task.spec.action.clipped(actor.act(shown.observation)))
      shown = next.next
      step += 1
      take.path.policy.append(shown.achievedGoal)
      let isEnd = next.terminated || next.truncated
      try shoot(
        isEnd ? "" : "\(number) STEP \(step)", next.isSuccess ? (40, 190, 70) : (110, 110, 110))
      if isEnd {
        take.path.isSuccess = next.isSuccess
        Video.end(&take.pictures, success: next.isSuccess, "\(number)")
        return take
      }
    }
  }
}
