import Environments
import Foundation
import GoalCore
public import Reporting

/// An episode's achieved goals, seen from above: the first two numbers of its achieved goals.
struct PlanePath: Sendable {
  /// The episode's name.
  let name: String
  /// The goal.
  let goal: [Float]
  /// Achieved goals of a dataset before the policy takes over; empty if the world starts the
  /// episode.
  var data: [[Float]] = []
  /// Achieved goals under the policy, from its first state on.
  var policy: [[Float]] = []
  /// Whether the episode ends at the goal.
  var isSuccess = false

  init(_ name: String, goal: [Float]) {
    self.name = name
    self.goal = goal
  }

  /// An episode of a rollout.
  init(_ trajectory: Trajectory, goal width: Int) {
    name = "\(trajectory.index)"
    goal = trajectory.desiredGoal
    policy = (0...trajectory.length).map { trajectory.achievedGoal($0, length: width) }
    isSuccess = trajectory.successes.last ?? false
  }

  /// A panel for each episode, all of one scale; throws `ExperimentError.nothingToDraw` if goals
  /// have no two dimensions.
  static func figure(_ paths: [PlanePath], task: GoalTask, title: String) throws -> SVGFigure {
    guard task.spec.goal >= 2, !paths.isEmpty else {
      throw ExperimentError.nothingToDraw(
        path: task.identifier, reason: "goals have \(task.spec.goal) dimension, not two")
    }
    let all = paths.flatMap { [$0.goal] + $0.data + $0.policy }
    let x = all.map { Double($0[0]) }
    let y = all.map { Double($0[1]) }
    let room = task.spec.successThreshold
    let frame = SVGPanel.Paths.Frame(
      x: (x.min() ?? 0) - room...(x.max() ?? 1) + room,
      y: (y.min() ?? 0) - room...(y.max() ?? 1) + room)
    let isFromData = paths.contains { !$0.data.isEmpty }
    return SVGFigure(
      title: "\(title): from dot to ring" + (isFromData ? ", the data's part dashed" : ""),
      panels: paths.map { path in
        let points = { (rows: [[Float]]) in
          rows.map { SVGPanel.Point(x: Double($0[0]), y: Double($0[1])) }
        }
        return SVGPanel(
          title: "episode \(path.name): \(path.isSuccess ? "success" : "failure")",
          xLabel: "goal 0" + task.spec.unit, yLabel: "goal 1" + task.spec.unit,
          content: .paths(
            SVGPanel.Paths(
              data: points(path.data), policy: points(path.policy),
              goal: SVGPanel.Point(x: Double(path.goal[0]), y: Double(path.goal[1])),
              radius: room, isSuccess: path.isSuccess, frame: frame)))
      })
  }
}

extension Comparison {
  /// The paths of the first policy's first episodes in the plane.
  public func paths(episodes: Int) throws -> SVGFigure {
    guard let first = entries.first else {
      throw ExperimentError.nothingToDraw(path: "evaluate", reason: "no policy was given")
    }
    let rollout = Rollout(
      environment: try first.world.load().makeEnvironment(), policy: first.policy,
      isEvaluation: true)
    let starts = starts(of: first)
    let task = first.world.task
    let paths = try (0..<episodes).map { episode in
      let (seed, kind) = starts.turn(episode)
      return PlanePath(
        try rollout.episode(index: Int64(episode), seed: seed, as: kind), goal: task.spec.goal)
    }
    return try PlanePath.figure(
      paths, task: task, title: "\(first.name) in \(task.identifier), seen from above")
  }
}
