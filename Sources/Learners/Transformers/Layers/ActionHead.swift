internal import Glibc
internal import GoalCore
internal import Replay
internal import Torch

/// A model's representation of an action: choices among classes, or a point in [−1, 1]ᴬ.
public enum HeadKind: String, SettingChoice {
  /// One choice among all combinations of values, or among a discrete world's actions; beyond
  /// `jointLimit` combinations, a choice for each dimension.
  case categorical
  /// A choice for each dimension.
  case independent
  /// The numbers themselves.
  case continuous
}

/// How outputs `[N, K]` of a model become losses and actions.
///
///     choices      loss = −mean_n Σ_h ln softmax(outputs_n)_h(c_nh),   K = H · C
///     continuous   loss = mean_n mean_k (tanh(outputs_nk) − a_nk)²,    K = A
///
/// Shapes: `N` rows, `H` heads, `C` classes, `A` numbers in an action.
enum ActionHead: Sendable {
  case choices(ActionCodec)
  case continuous(ActionScale)

  init(_ kind: HeadKind, _ space: ActionSpace, bins: Int, jointLimit: Int) {
    if kind == .continuous, let scale = ActionScale(space) {
      self = .continuous(scale)
    } else {
      self = .choices(
        ActionCodec(space, bins: bins, jointLimit: kind == .independent ? 0 : jointLimit))
    }
  }

  /// Numbers that a model gives for an action, `K`.
  var outputs: Int {
    switch self {
    case .choices(let codec): codec.heads * codec.classes
    case .continuous(let scale): scale.length
    }
  }

  /// An action as a model reads it, `[N, K]`: ones at its choices, or its numbers in [−1, 1].
  func features(of actions: ActionColumn) -> [Float] {
    switch self {
    case .choices(let codec):
      let choices = codec.choices(of: actions)
      var features = [Float](repeating: 0, count: choices.count * codec.classes)
      for (k, choice) in choices.enumerated() { features[k * codec.classes + Int(choice)] = 1 }
      return features
    case .continuous(let scale):
      guard case .continuous(let values) = actions else {
        preconditionFailure("continuous actions are needed, found discrete ones")
      }
      return scale.unit(values)
    }
  }

  /// The targets of actions: classes `[N · H]`, or numbers `[N, A]`.
  func targets(of actions: ActionColumn, rows: [Int]? = nil) -> ActionTargets {
    switch self {
    case .choices(let codec):
      let all = codec.choices(of: actions)
      guard let rows else { return .classes(all) }
      return .classes(
        rows.flatMap { all[$0 * codec.heads..<($0 + 1) * codec.heads] })
    case .continuous(let scale):
      let all = features(of: actions)
      guard let rows else { return .numbers(all) }
      return .numbers(rows.flatMap { all[$0 * scale.length..<($0 + 1) * scale.length] })
    }
  }

  /// The loss of outputs `[N, K]`.
  func loss(_ outputs: Tensor, _ targets: ActionTargets) -> Tensor {
    switch (self, targets) {
    case (.choices(let codec), .classes(let classes)):
      let logits = outputs.reshaped([classes.count, codec.classes])
      return Imitation.crossEntropy(logits, targets: classes, heads: codec.heads)
    case (.continuous(let scale), .numbers(let numbers)):
      let actions = Tensor(numbers, shape: [numbers.count / scale.length, scale.length])
      return Imitation.squaredError(outputs.tanh(), from: actions)
    default: preconditionFailure("targets of another kind than the head's")
    }
  }
}

/// The targets of a model's outputs.
enum ActionTargets {
  /// Classes, one for each head of each row.
  case classes([Int64])
  /// Numbers in [−1, 1].
  case numbers([Float])
}
