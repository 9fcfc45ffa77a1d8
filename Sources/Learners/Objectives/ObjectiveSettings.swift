internal import GoalCore
import Support

/// A model's training objectives: a sum of objectives, each with its weight.
///
///     loss = Σ weight · term
///
/// The defaults are plain imitation of the first action.
public struct ObjectiveSettings: SettingGroup {
  /// Imitation of the data's actions.
  public var imitation = ImitationSettings()
  /// Prediction of next states, for models of sequences.
  public var nextState = NextStateSettings()
  /// Outputs like a teacher's.
  public var distillation = DistillationSettings()
  /// The teacher.
  public var teacher = TeacherSettings()
  /// Embeddings that vary and do not repeat each other.
  public var vicreg = VICRegSettings()
  /// The network that makes embeddings, if an objective asks for them.
  public var expander = ExpanderSettings()
  /// The state that the actions reach.
  public var reachedState = ReachedStateSettings()

  /// Plain imitation of the first action.
  public init() {}

  /// Whether a moving average of the weights is kept.
  var hasTeacher: Bool { teacher.role != .none || distillation.isOn }

  /// Whether an objective reads an expander's outputs.
  var hasExpander: Bool {
    (vicreg.isOn && vicreg.embedding == .expander)
      || (distillation.isOn && distillation.outputs == .expander)
  }

  /// Throws `SettingsError` for objectives none of which has a weight.
  public func validateTogether(under path: [String]) throws {
    let weights = [
      imitation.weight, nextState.weight, distillation.weight, distillation.maskedWeight,
    ]
    try Settings.require(
      weights.contains { $0 != 0 } || vicreg.isOn || reachedState.isOn,
      (path + ["imitation", "weight"]).joined(separator: "."),
      "above 0 if no other objective has a weight", found: .number(imitation.weight))
  }
}
