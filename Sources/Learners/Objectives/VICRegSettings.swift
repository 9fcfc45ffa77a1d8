internal import GoalCore
import Support

/// How many embeddings of a row are compared.
public enum VICRegBranches: String, SettingChoice {
  /// One: variance and covariance only, as in the log.
  case one
  /// Two views of the same row, as in the paper.
  case two
}

/// Regularisation of embeddings by variance, invariance and covariance.
public struct VICRegSettings: SettingGroup {
  /// λ, the weight of the distance between two branches; the paper's is 25.
  @Setting("weight of the distance of two branches; the paper's is 25", .weight, "the log")
  public var invariance = 0.0
  /// μ, the weight of the variance's hinge; the log's is 10, the paper's 25.
  @Setting("weight of the variance's hinge; the log's is 10, the paper's 25", .weight, "the log")
  public var variance = 0.0
  /// ν, the weight of the covariance; 1 in the log and in the paper.
  @Setting("weight of the covariance; the log's and the paper's is 1", .weight, "the log")
  public var covariance = 0.0
  /// γ, the deviation that each number of an embedding is to have, in its own units.
  @Setting(
    "deviation that each number of an embedding is to have", .positive, "VICReg, main_vicreg.py")
  public var deviation = 1.0
  /// ε, which is added to variances before the root.
  @Setting("added to variances", .positive, "VICReg, main_vicreg.py") public var epsilon = 1e-4
  /// The regularised embedding.
  @Setting("logits: the policy's outputs; expander: a network's of its own", "the log")
  public var embedding = ObjectiveEmbedding.logits
  /// How many embeddings of a row are compared.
  @Setting("one: as in the log; two: two views of a row", "the log")
  public var branches = VICRegBranches.one

  /// No regularisation; γ and ε of the paper's code.
  public init() {}

  /// Whether any term has a weight.
  var isOn: Bool { invariance != 0 || variance != 0 || covariance != 0 }

  /// Throws `SettingsError` for a distance between branches if there is one.
  public func validateTogether(under path: [String]) throws {
    try Settings.require(
      invariance == 0 || branches == .two, (path + ["invariance"]).joined(separator: "."),
      "0 if the model has one branch", found: .number(invariance))
  }
}
