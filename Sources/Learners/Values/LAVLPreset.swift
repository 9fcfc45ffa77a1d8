internal import GoalCore

/// The settings that LAVL's command lines give for OGBench's worlds, where they are not its
/// defaults.
///
/// Source: github.com/oh-lab/LAVL at 6a0679f.
enum LAVLPreset {
  /// Changes the settings of a task of OGBench's worlds.
  static func apply(
    _ worlds: OGBenchPreset.Worlds, of task: GoalTask, to configuration: inout LAVL.Configuration
  ) {
    let highTemperature = task.identifier.contains("medium") ? 2.0 : 1
    switch worlds {
    case .pointMaze:
      configuration.learningRate = 1e-4
      configuration.highTemperature = highTemperature
    case .humanoidMaze:
      configuration.continuityWeight = 0
      configuration.highTemperature = highTemperature
    case .manipulation:
      configuration.expectile = 0.7
      configuration.policiesMoveGoals = false
      if task.identifier.hasPrefix("cube") {
        configuration.discount = .value(0.99)
        configuration.continuityWeight = 0
        configuration.lowTemperature = 10
        configuration.highTemperature = task.identifier.contains("double") ? 1 : 0.5
      } else {
        configuration.discount = .value(0.998)
      }
    case .antMaze, .antSoccer: break
    }
  }
}
