internal import Torch

/// Which of a window's actions are imitated.
public enum ImitatedActions: String, SettingChoice {
  /// The action at the start.
  case first
  /// Every action from the start to the goal, or to the window's end.
  case all
}

/// How the data's actions are imitated.
public struct ImitationSettings: SettingGroup {
  /// The weight of the loss in the sum; the log's λ.
  @Setting("weight of the imitation of the data's actions", .weight, "the log")
  public var weight = 1.0
  /// Which of a window's actions are imitated.
  @Setting("first: the action at the start; all: every action of the window", "the log")
  public var actions = ImitatedActions.first
  /// The share of the data's choices that others replace, drawn uniformly; for categorical
  /// policies.
  @Setting(
    "share of the data's choices that uniformly drawn ones replace; the log's is 0.3",
    .share, "the log, masking.py")
  public var falsePositives = 0.0

  /// Plain imitation of the first action.
  public init() {}
}

/// The losses of imitation, over all actions or some.
///
/// Shapes: `N` actions (`B` of a batch's starts, or `B · W` of its windows), `H` heads, `C`
/// classes, `A` numbers of a continuous action.
enum Imitation {
  /// The mean negative logarithm of the probability of the choices that count.
  ///
  ///     loss = −(1 / Σ_n m_n) Σ_n m_n Σ_h ln π_h(c_nh)
  ///
  /// of logits `[N · H, C]` and choices `[N · H]`, with m_n from `targets`. Over one action per row
  /// it is the loss of GCSL's own code (github.com/dibyaghosh/gcsl at cfae560,
  /// `gcsl/algo/networks.py`). Over windows it is that of the log's trajectory decoders
  /// (github.com/miladsamim/GCRL at 63b1e7e, `gcsl/algo/traj_idm_dec.py`): a row with more actions
  /// counts more. It differs from the latter in: 1. of several heads the logarithms are summed,
  /// which is −ln π of the whole action; the log takes their mean.
  static func crossEntropy(_ logits: Tensor, targets: [Int64], heads: Int) -> Tensor {
    precondition(
      targets.contains { $0 != Tensor.ignoredClass }, "an imitated batch has an action that counts")
    let classes = Tensor(targets, shape: [targets.count])
    return logits.crossEntropy(of: classes) * Double(heads)
  }

  /// ln π of each row's actions together, `[B]`: Σ_w m_bw Σ_h ln π_h(c_bwh), of logits `[B · W · H,
  /// C]`.
  static func logProbabilities(_ logits: Tensor, targets: [Int64], rows: Int) -> Tensor {
    let classes = Tensor(targets, shape: [targets.count])
    return logits.crossEntropies(of: classes).reshaped([rows, targets.count / rows])
      .sum(along: 1) * -1
  }

  /// The mean squared difference of the actions that count.
  ///
  ///     loss = (1 / (A Σ_n m_n)) Σ_n m_n Σ_k (u_nk − a_nk)²
  ///
  /// of chosen actions u and the data's a, `[N, A]`, in the same units; m is `[N]`, and 1 if it is
  /// absent.
  static func squaredError(_ chosen: Tensor, from actions: Tensor, counting: [Float]? = nil)
    -> Tensor
  {
    guard let counting else { return chosen.meanSquaredError(from: actions) }
    let shape = chosen.shape
    let count = counting.reduce(0, +)
    precondition(count > 0, "an imitated batch has an action that counts")
    let weights = Tensor(counting, shape: [shape[0], 1])
    return ((chosen - actions).squared() * weights).sum() * (1 / (Double(count) * Double(shape[1])))
  }

  /// The choices `[N · H]` of which those of actions that do not count, `[N]`, are left out.
  static func targets(_ choices: [Int64], counting: [Float], heads: Int) -> [Int64] {
    precondition(
      choices.count == counting.count * heads,
      "\(counting.count) actions of \(heads) heads have as many choices, found \(choices.count)")
    return choices.indices.map { counting[$0 / heads] > 0 ? choices[$0] : Tensor.ignoredClass }
  }

  /// 1 for the actions of windows `[B, W]` that are imitated, else 0, `[B · W]`.
  ///
  /// `mask` says where the windows hold actions, `starts` in which place each row starts.
  static func counted(_ actions: ImitatedActions, mask: [Float], starts: [Int32]) -> [Float] {
    let places = mask.count / starts.count
    switch actions {
    case .all: return mask
    case .first:
      return mask.indices.map { $0 % places == Int(starts[$0 / places]) ? mask[$0] : 0 }
    }
  }
}
