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
  private var choice: ActionChoice

  init(_ policy: CategoricalPolicy) {
    self.policy = policy
    choice = ActionChoice(policy.codec, policy.choosing, seed: 0)
  }

  func begin(goal: [Float], seed: UInt64) {
    self.goal = policy.snapshot.normalized(goal: goal)
    step = 0
    choice = ActionChoice(policy.codec, policy.choosing, seed: seed)
  }

  func act(_ observation: [Float]) -> Action {
    defer { step += 1 }
    return choice.action(logits: policy.snapshot.outputs(observation, goal: goal, step: step))
  }

  func logProbability(of action: Action) -> Float? { choice.logProbability(of: action) }

  func randomAction(from generator: inout Philox) -> Action? {
    choice.randomAction(from: &generator)
  }
}

/// How a categorical policy chooses in one episode, whose seed keys its draws.
struct ActionChoice {
  private let codec: ActionCodec
  private let choosing: Choosing
  private var generator: Philox
  private var logProbabilities: [Double] = []  // [H, C], of the last logits

  init(_ codec: ActionCodec, _ choosing: Choosing, seed: UInt64) {
    (self.codec, self.choosing) = (codec, choosing)
    generator = Philox(seed: seed, purpose: Seeds.policyPurpose, index: 0)
  }

  /// The world's action for logits `[H, C]`.
  mutating func action(logits: [Float]) -> Action {
    let classes = codec.classes
    let logits = logits.map(Double.init)
    logProbabilities = []
    var choices: [Int] = []
    for start in stride(from: 0, to: logits.count, by: classes) {
      let head = logits[start..<start + classes]
      let largest = head.max() ?? 0
      let normalizer = largest + log(head.reduce(0) { $0 + exp($1 - largest) })
      logProbabilities += head.map { $0 - normalizer }
      switch choosing {
      case .greedy: choices.append((head.firstIndex(of: largest) ?? start) - start)
      case .sampled: choices.append(drawn(logProbabilities[start...]))
      }
    }
    return codec.action(choices)
  }

  /// One of the choices, all alike.
  func randomAction(from generator: inout Philox) -> Action? {
    codec.action(
      (0..<codec.heads).map { _ in Int(generator.unit() * Double(codec.classes)) })
  }

  /// ln π of the choice that the action comes nearest to, at the last logits.
  func logProbability(of action: Action) -> Float? {
    let column: ActionColumn =
      switch action {
      case .continuous(let values): .continuous(values)
      case .discrete(let number): .discrete([Int32(number)])
      }
    let sum = codec.choices(of: column).enumerated().reduce(0.0) { sum, choice in
      sum + logProbabilities[choice.offset * codec.classes + Int(choice.element)]
    }
    return Float(min(0, sum))
  }

  /// The first class at which the distribution function passes a number drawn from [0, 1).
  private mutating func drawn(_ head: ArraySlice<Double>) -> Int {
    var left = generator.unit()
    for (place, value) in head.enumerated() {
      left -= exp(value)
      if left < 0 { return place }
    }
    return head.count - 1
  }
}
