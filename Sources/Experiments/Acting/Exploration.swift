import GoalCore

/// The exploration that is added to a policy's actions while it collects.
///
///     a ← clip(π(s, g) + noise · h · N(0, 1), low, high),  h half of the action's range
///     with probability randomActions: a ← U(low, high)
///
/// This is how WGCSL collects (github.com/YangRui2015/AWGCSL at d8f1c56, `wgcsl/algo/wgcsl.py`,
/// `get_actions`: noise 0.2, random actions 0.3). Only random actions apply to a world of discrete
/// actions. The random action of a policy that chooses among finitely many actions is one of those,
/// uniformly.
public struct Exploration: Codable, Sendable, Equatable {
  /// Standard deviation of the noise, in halves of the action's range.
  public var noise: Double
  /// Probability of a uniformly random action, at each step.
  public var randomActions: Double

  /// The policy's own actions.
  public static let none = Exploration(noise: 0, randomActions: 0)

  /// Makes an exploration from its two numbers.
  public init(noise: Double, randomActions: Double) {
    precondition(
      OptionRange.noise ~= noise && 0...1 ~= randomActions,
      "noise and a probability in their ranges")
    self.noise = noise
    self.randomActions = randomActions
  }

  /// Throws `ExperimentError.noiseOnChoices` if there is noise for actions that are no numbers.
  func check(for task: GoalTask) throws {
    if noise > 0, case .discrete = task.spec.action {
      throw ExperimentError.noiseOnChoices(world: task.identifier)
    }
  }
}

extension ActionSpace {
  /// An action drawn uniformly.
  func uniform(from generator: inout Philox) -> Action {
    switch self {
    case .continuous(let low, let high):
      .continuous(
        zip(low, high).map { Float(generator.uniform(Double($0), Double($1))) })
    case .discrete(let count): .discrete(Int(generator.unit() * Double(count)))
    }
  }

  /// A vector moved into the space; discrete actions stay as they are.
  ///
  /// Throws `ExperimentError.actionNotFinite` for a number that is not finite, which no range makes
  /// sound.
  func clipped(_ action: Action, of policy: String = "the policy") throws -> Action {
    guard case .continuous(let values) = action, case .continuous(let low, let high) = self else {
      return action
    }
    if let found = values.first(where: { !$0.isFinite }) {
      throw ExperimentError.actionNotFinite(policy: policy, found: found)
    }
    return .continuous(values.indices.map { values[$0].clamped(from: low[$0], to: high[$0]) })
  }
}
