import Environments
import GoalCore
import Learners
import Reporting

/// The output of the listing subcommands.
public enum Listings {
  /// The ids of all worlds.
  public static var environmentNames: [String] {
    EnvironmentRegistry.worlds.map(\.task.identifier)
  }

  /// The ids of all learners.
  public static var learnerNames: [String] { LearnerRegistry.all.map(\.identifier) }

  /// All worlds in a table, or one with all that its task says.
  public static func environments(_ identifier: String?) throws -> String {
    guard let identifier else {
      var table = Table(["environment", "observation", "goal", "action", "horizon", "task"])
      for world in EnvironmentRegistry.worlds {
        let spec = world.task.spec
        table.rows.append([
          world.task.identifier, "\(spec.observation)", "\(spec.goal)", text(spec.action),
          "\(spec.horizon)", world.summary,
        ])
      }
      return table.rendered(as: .text)
    }
    let world = try EnvironmentRegistry.world(identifier)
    let spec = world.task.spec
    var table = Table([world.task.identifier, world.summary])
    table.rows = [
      ["observation", "\(spec.observation) numbers"],
      ["goal", "\(spec.goal) numbers, observation\(world.task.goalIndices)"],
      ["action", text(spec.action)],
      ["horizon", "\(spec.horizon) steps of \(spec.controlPeriod) s"],
      ["reached", "\(spec.metric), below \(spec.successThreshold)"],
      ["reward", "-1 while the distance is over the threshold, else 0"],
      ["scripted policy", world.script == nil ? "no" : "yes"],
    ]
    if !world.tasks.isEmpty {
      table.rows.append(["evaluation", "ends at the first success; data go on to their last step"])
    }
    table.rows += world.tasks.map { ["task \($0.number)", $0.summary] }
    table.rows += world.laws.map { ["goals \($0.name)", "\($0.summary); \($0.steps) steps"] }
    return table.rendered(as: .text)
  }

  /// All learners in a table, or one with its settings; with a world's id, those that a run on it
  /// begins with.
  public static func learners(
    _ identifier: String?, environment: String? = nil
  ) throws -> String {
    guard let identifier else {
      var table = Table(["learner", "idea"])
      table.rows = LearnerRegistry.all.map { [$0.identifier, $0.summary] }
      return table.rendered(as: .text)
    }
    let learner = try LearnerRegistry.entry(identifier)
    let title = "\(learner.identifier): \(learner.summary)\n\n"
    guard let environment else {
      var table = Table(["setting", "default", "meaning", "source"])
      table.rows = learner.settings.map { [$0.key, $0.defaultValue, $0.meaning, $0.source] }
      return title + table.rendered(as: .text)
        + """

        Some worlds have other defaults: `goalpost learners \(learner.identifier) --environment ID` shows them.

        """
    }
    let task = try EnvironmentRegistry.world(environment).task
    var table = Table(["setting", "on \(environment)", "default", "meaning", "source"])
    table.rows = zip(learner.settings, try learner.settings(for: task)).map { usual, own in
      [
        own.key, own.defaultValue, own.defaultValue == usual.defaultValue ? "" : usual.defaultValue,
        own.meaning, own.source,
      ]
    }
    return title + table.rendered(as: .text)
      + """

      Defaults that are others stand beside. Offline, a run on \(environment) makes \
      \(learner.updates(for: task)) updates.

      """
  }

  private static func text(_ action: ActionSpace) -> String {
    switch action {
    case .discrete(let count): "one of \(count)"
    case .continuous(let low, let high):
      "\(low.count) numbers from \(low.min() ?? 0) to \(high.max() ?? 0)"
    }
  }
}
