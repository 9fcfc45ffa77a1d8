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
public struct VICRegSettings: Codable, Sendable, Equatable {
  /// λ, the weight of the distance between two branches; the paper's is 25.
  public var invariance = 0.0
  /// μ, the weight of the variance's hinge; the log's is 10, the paper's 25.
  public var variance = 0.0
  /// ν, the weight of the covariance; 1 in the log and in the paper.
  public var covariance = 0.0
  /// γ, the deviation that each number of an embedding is to have, in its own units.
  public var deviation = 1.0
  /// ε, which is added to variances before the root.
  public var epsilon = 1e-4
  /// What is regularised.
  public var embedding = ObjectiveEmbedding.logits
  /// How many embeddings of a row are compared.
  public var branches = VICRegBranches.one

  /// No regularisation; γ and ε of the paper's code.
  public init() {}

  /// Whether any term has a weight.
  var isOn: Bool { invariance != 0 || variance != 0 || covariance != 0 }

  func validate() throws {
    try Settings.requireWeight(invariance, "objectives.vicreg.invariance")
    try Settings.requireWeight(variance, "objectives.vicreg.variance")
    try Settings.requireWeight(covariance, "objectives.vicreg.covariance")
    try Settings.requirePositive(deviation, "objectives.vicreg.deviation")
    try Settings.requirePositive(epsilon, "objectives.vicreg.epsilon")
    try Settings.require(
      invariance == 0 || branches == .two, "objectives.vicreg.invariance",
      "0 where there is one branch", found: .number(invariance))
  }

  static let documentation: [(key: String, meaning: String, source: String)] = [
    (
      "objectives.vicreg.invariance", "weight of the distance of two branches; the paper's is 25",
      "the log"
    ),
    (
      "objectives.vicreg.variance",
      "weight of the variance's hinge; the log's is 10, the paper's 25",
      "the log"
    ),
    (
      "objectives.vicreg.covariance", "weight of the covariance; the log's and the paper's is 1",
      "the log"
    ),
    (
      "objectives.vicreg.deviation", "deviation that each number of an embedding is to have",
      "VICReg, main_vicreg.py"
    ),
    ("objectives.vicreg.epsilon", "added to variances", "VICReg, main_vicreg.py"),
    (
      "objectives.vicreg.embedding",
      "logits: the policy's outputs; expander: a network's of its own",
      "the log"
    ),
    ("objectives.vicreg.branches", "one: as in the log; two: two views of a row", "the log"),
  ]
}
