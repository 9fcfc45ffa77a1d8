import Learners

/// The ranges of counts that options and files of settings may ask for.
public enum OptionRange {
  /// Threads of a call, or of libtorch.
  public static let threads = 1...1_024
  /// Episodes of a dataset, whose numbers are below 2³².
  public static let episodes = 1...1 << 32
  /// Episodes of a mixture that takes some several times; a list of them is held.
  public static let repeated = 1...1 << 24
  /// Episodes in a shard.
  public static let shardEpisodes = 1...1 << 24
  /// Episodes of an evaluation, whose scores are held.
  public static let evaluated = 1...1 << 24
  /// Episodes to film or draw, whose pictures are held.
  public static let filmed = 1...1 << 10
  /// Updates, or steps in a world.
  public static let updates = 1...1 << 40
  /// The same if 0 stands for none or for the paper's number.
  public static let updatesOrNone = 0...1 << 40
  /// Checkpoints that are kept.
  public static let checkpoints = 1...1 << 20
  /// Numbers in a goal.
  public static let goal = 1...1 << 20
  /// Bytes that an input may unpack to.
  public static let bytes = 1...1 << 50
  /// Seeds of one call.
  public static let seeds = 1...1_000
  /// A dataset's weight.
  public static let weight = 1e-12...1e12
  /// The standard deviation of noise, in halves of an action's range.
  public static let noise = 0.0...1e6
  /// States of a plan.
  public static let planNodes = GraphPlanSettings.nodeRange
  /// Steps of a plan's edges and aims.
  public static let planSteps = GraphPlanSettings.stepRange
}
