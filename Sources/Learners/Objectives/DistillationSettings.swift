internal import GoalCore

/// How a student's outputs are drawn to a teacher's: DINO, and iBOT for masked tokens.
public struct DistillationSettings: Codable, Sendable, Equatable {
  /// The weight of DINO's loss in the sum; iBOT's λ₁.
  public var weight = 0.0
  /// The weight of the loss of masked tokens; iBOT's λ₂.
  public var maskedWeight = 0.0
  /// What student and teacher are compared by.
  public var outputs = ObjectiveEmbedding.logits
  /// τ_s, which the student's outputs are divided by.
  public var studentTemperature = 0.1
  /// τ_t, which the teacher's outputs are divided by.
  public var teacherTemperature = 0.04
  /// The same for masked tokens.
  public var maskedTeacherTemperature = 0.07
  /// What both teacher's temperatures begin with.
  public var firstTeacherTemperature = 0.04
  /// Updates over which they change linearly; 0 takes the last ones from the beginning.
  public var temperatureUpdates = 0
  /// Share of the centre that stays in an update.
  public var centreMomentum = 0.9
  /// Share of a sequence's tokens that are masked.
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

  func validate() throws {
    try Settings.requireWeight(weight, "objectives.distillation.weight")
    try Settings.requireWeight(maskedWeight, "objectives.distillation.maskedWeight")
    try Settings.requirePositive(studentTemperature, "objectives.distillation.studentTemperature")
    try Settings.requirePositive(teacherTemperature, "objectives.distillation.teacherTemperature")
    try Settings.requirePositive(
      maskedTeacherTemperature, "objectives.distillation.maskedTeacherTemperature")
    try Settings.requirePositive(
      firstTeacherTemperature, "objectives.distillation.firstTeacherTemperature")
    try Settings.require(
      temperatureUpdates, in: 0...SettingRange.count.upperBound,
      "objectives.distillation.temperatureUpdates")
    try Settings.requireShare(centreMomentum, "objectives.distillation.centreMomentum")
    try Settings.requireShare(maskedShare, "objectives.distillation.maskedShare")
  }

  static let documentation: [(key: String, meaning: String, source: String)] = [
    ("objectives.distillation.weight", "weight of DINO's loss; iBOT's lambda1 is 1", "the log"),
    (
      "objectives.distillation.maskedWeight", "weight of the loss of masked tokens; iBOT's is 1",
      "iBOT, main_ibot.py, lambda2"
    ),
    (
      "objectives.distillation.outputs",
      "what student and teacher are compared by: the policy's logits, or the expander's outputs",
      "the log"
    ),
    (
      "objectives.distillation.studentTemperature", "divides the student's outputs",
      "DINO, main_dino.py"
    ),
    (
      "objectives.distillation.teacherTemperature", "divides the teacher's outputs",
      "DINO, main_dino.py"
    ),
    (
      "objectives.distillation.maskedTeacherTemperature", "the same for masked tokens",
      "iBOT, main_ibot.py, teacher_patch_temp"
    ),
    (
      "objectives.distillation.firstTeacherTemperature", "what both begin with",
      "DINO, main_dino.py, warmup_teacher_temp"
    ),
    (
      "objectives.distillation.temperatureUpdates",
      "updates over which they change linearly; 0: none", "the log"
    ),
    (
      "objectives.distillation.centreMomentum", "share of the centre that stays in an update",
      "DINO, main_dino.py"
    ),
    (
      "objectives.distillation.maskedShare", "share of a sequence's tokens that are masked",
      "iBOT, main_ibot.py, pred_ratio"
    ),
  ]
}
