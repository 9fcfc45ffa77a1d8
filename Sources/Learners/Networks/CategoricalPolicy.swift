internal import Glibc
internal import GoalCore

/// How a categorical policy chooses.
public enum Choosing: String, SettingChoice {
  /// The most probable action.
  case greedy
  /// An action drawn from the policy's distribution.
  case sampled
}

/// A policy over finitely many actions: π(a | s, g) = Π_h softmax(network(normalised [o | g]))_h.
///
/// It is a snapshot that no later update changes.
struct CategoricalPolicy: GoalPolicy {
  let snapshot: PolicySnapshot
  let codec: ActionCodec
  let choosing: Choosing

  var isCategorical: Bool { true }

  func makeActor() -> any GoalActor { CategoricalActor(self) }
}

/// A categorical policy at work in one episode; its draws are keyed by the episode's seed.
private final class CategoricalActor: GoalActor {
  private let policy: CategoricalPolicy
  private var goal: [Float] = []  // normalised
  private var step = 0
  private var generator = Philox(seed: 0, purpose: 0, index: 0)
  private var logProbabilities: [Double] = []  // [H, C], at the last observation

  init(_ policy: CategoricalPolicy) { self.policy = policy }

  func begin(goal: [Float], seed: UInt64) {
    self.goal = policy.snapshot.normalized(goal: goal)
    step = 0
    generator = Philox(seed: seed, purpose: Seeds.policyPurpose, index: 0)
  }

  func act(_ observation: [Float]) -> Action {
    let classes = policy.codec.classes
    let logits = policy.snapshot.outputs(observation, goal: goal, step: step).map(Double.init)
    step += 1
    logProbabilities = []
    var choices: [Int] = []
    for start in stride(from: 0, to: logits.count, by: classes) {
      let head = logits[start..<start + classes]
      let largest = head.max() ?? 0
      let normalizer = largest + log(head.reduce(0) { $0 + exp($1 - largest) })
      logProbabilities += head.map { $0 - normalizer }
      switch policy.choosing {
      case .greedy: choices.append((head.firstIndex(of: largest) ?? start) - start)
      case .sampled: choices.append(drawn(logProbabilities[start...]))
      }
    }
    return policy.codec.action(choices)
  }

  /// One of the policy's choices, all alike.
  func randomAction(from generator: inout Philox) -> Action? {
    policy.codec.action(
      (0..<policy.codec.heads).map { _ in Int(generator.unit() * Double(policy.codec.classes)) })
  }

  /// ln π of the choice that the action comes nearest to.
  func logProbability(of action: Action) -> Float? {
    let column: ActionColumn =
      switch action {
      case .continuous(let values): .continuous(values)
      case .discrete(let number): .discrete([Int32(number)])
      }
    let sum = policy.codec.choices(of: column).enumerated().reduce(0.0) { sum, choice in
      sum + logProbabilities[choice.offset * policy.codec.classes + Int(choice.element)]
    }
    return Float(min(0, sum))
  }

  /// The first class at which the distribution function passes a number drawn from [0, 1).
  private func drawn(_ head: ArraySlice<Double>) -> Int {
    var left = generator.unit()
    for (place, value) in head.enumerated() {
      left -= exp(value)
      if left < 0 { return place }
    }
    return head.count - 1
  }
}
