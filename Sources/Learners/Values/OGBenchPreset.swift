internal import GoalCore

/// The settings that OGBench's command lines give for its worlds, by a task's name.
///
/// Source: github.com/seohongpark/ogbench at 1d41409, `impls/hyperparameters.sh`. What they change
/// for the kind of data (`explore`, `noisy`, `stitch`) a task does not say: set it.
struct OGBenchPreset {
  /// The worlds that have settings in common.
  enum Worlds { case pointMaze, antMaze, humanoidMaze, antSoccer, manipulation }

  let worlds: Worlds
  /// γ.
  let discount: Discount
  /// Steps from a state to its subgoal.
  let subgoalSteps: Int
  /// The weight of imitation against the value, of `gciql`, `crl` and `qrl`.
  let imitationWeights: (gciql: Double, crl: Double, qrl: Double)

  private static let prefixes: [(String, Worlds)] = [
    ("pointmaze", .pointMaze), ("antmaze", .antMaze), ("humanoidmaze", .humanoidMaze),
    ("antsoccer", .antSoccer), ("cube", .manipulation), ("scene", .manipulation),
    ("puzzle", .manipulation),
  ]

  /// nil for tasks that are not of OGBench's worlds.
  init?(task: GoalTask) {
    guard let worlds = Self.prefixes.first(where: { task.identifier.hasPrefix($0.0) })?.1 else {
      return nil
    }
    self.worlds = worlds
    (subgoalSteps, imitationWeights) =
      switch worlds {
      case .pointMaze: (25, (0.003, 0.03, 0.0003))
      case .antMaze: (25, (0.3, 0.1, 0.003))
      case .humanoidMaze: (100, (0.1, 0.1, 0.001))
      case .antSoccer: (25, (0.1, 0.3, 0.003))
      case .manipulation: (10, (1, 3, 0.3))
      }
    let isLong = worlds == .humanoidMaze || task.identifier.contains("giant")
    discount = .value(isLong ? 0.995 : 0.99)
  }
}
