internal import GoalCore

/// How a student's outputs are drawn to a teacher's: DINO, and iBOT for masked tokens.
public struct DistillationSettings: SettingGroup {
  /// The weight of DINO's loss in the sum; iBOT's λ₁.
  @Setting("weight of DINO's loss; iBOT's lambda1 is 1", .weight, "the log") public var weight = 0.0
  /// The weight of the loss of masked tokens; iBOT's λ₂.
  @Setting(
    "weight of the loss of masked tokens; iBOT's is 1", .weight, "iBOT, main_ibot.py, lambda2")
  public var maskedWeight = 0.0
  /// How student and teacher are compared.
  @Setting(
    "what student and teacher are compared by: the policy's logits, or the "
      + "expander's outputs",
    "the log")
  public var outputs = ObjectiveEmbedding.logits
  /// τ_s, which the student's outputs are divided by.
  @Setting("divides the student's outputs", .positive, "DINO, main_dino.py")
  public var studentTemperature = 0.1
  /// τ_t, which the teacher's outputs are divided by.
  @Setting("divides the teacher's outputs", .positive, "DINO, main_dino.py")
  public var teacherTemperature = 0.04
  /// The same for masked tokens.
  @Setting("the same for masked tokens", .positive, "iBOT, main_ibot.py, teacher_patch_temp")
  public var maskedTeacherTemperature = 0.07
  /// The initial value of both teacher's temperatures.
  @Setting("what both begin with", .positive, "DINO, main_dino.py, warmup_teacher_temp")
  public var firstTeacherTemperature = 0.04
  /// Updates over which they change linearly; 0 takes the last ones from the beginning.
  @Setting("updates over which they change linearly; 0: none", .countOrNone, "the log")
  public var temperatureUpdates = 0
  /// Share of the centre that stays in an update.
  @Setting("share of the centre that stays in an update", .share, "DINO, main_dino.py")
  public var centreMomentum = 0.9
  /// Share of a sequence's tokens that are masked.
  @Setting("share of a sequence's tokens that are masked", .share, "iBOT, main_ibot.py, pred_ratio")
  public var maskedShare = 0.3

  /// The papers' temperatures, and no distillation.
  public init() {}

  /// Whether a teacher is needed for it.
  var isOn: Bool { weight != 0 || maskedWeight != 0 }

  /// The teacher's temperature in an update, counted from 0.
  ///
  ///     τ(k) = τ₀ + (τ − τ₀) k / (n − 1) for k < n, then τ
  func temperature(towards last: Double, update: Int) -> Double {
    guard update < temperatureUpdates - 1 else { return last }
    let share = Double(update) / Double(temperatureUpdates - 1)
    return firstTeacherTemperature + (last - firstTeacherTemperature) * share
  }
}
