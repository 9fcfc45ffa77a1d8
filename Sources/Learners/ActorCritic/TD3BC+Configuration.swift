public import GoalCore

extension TD3BC.Configuration {
  /// WGCSL's batch size and cycle for the task, and otherwise the defaults.
  public static func preset(for task: GoalTask) -> Self {
    let schedule = PaperSchedule(task: task)
    var configuration = Self()
    configuration.batchSize = schedule.batchSize
    configuration.online.updatesPerEpisode = schedule.batchesPerCycle
    return configuration
  }
}
