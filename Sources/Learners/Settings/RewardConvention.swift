/// A learner's reward convention; the worlds' own is −1 until the goal is reached, then 0.
public enum RewardConvention: String, SettingChoice {
  /// The world's reward plus 1: 0 until the goal is reached, then 1.
  case zeroOrOne = "0/1"
  /// The world's own reward.
  case minusOneOrZero = "-1/0"
}
