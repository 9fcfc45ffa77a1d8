public import GoalCore
import Support

extension TD3BC.Configuration {
  /// WGCSL's batch size and cycle for the task, and otherwise the defaults.
  public static func preset(for task: GoalTask) -> Self {
    let preset = WGCSLPreset(task: task)
    var configuration = Self()
    configuration.batchSize = preset.batchSize
    configuration.online.updatesPerEpisode = preset.batchesPerCycle
    return configuration
  }
}
