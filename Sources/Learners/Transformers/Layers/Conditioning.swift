internal import Torch

/// How the goal comes to the states.
public enum ConditioningKind: String, SettingChoice {
  /// As a token of its own.
  case token
  /// Each state's token and the goal's side by side.
  case concatenation
  /// Each state's token scaled and shifted by functions of the goal.
  case film
  /// Each state's token mixed with what it attends to of the goal, by a gate.
  case gate
}

/// States that are conditioned on a goal.
///
///     film   h ← γ ⊙ h + β + h,  [γ, β] = MLP_{D-128-128-2D}(g)
///     gate   A = norm(h + attention(h, g)),  λ = σ(W_s h + W_g A),  h ← (1 − λ) ⊙ h + λ ⊙ A
///
/// Perez et al., "FiLM: Visual Reasoning with a General Conditioning Layer", AAAI 2018,
/// arXiv:1709.07871. Zhang et al., "Multimodal Chain-of-Thought Reasoning in Language Models",
/// 2023, arXiv:2302.00923. Both have the form of the log's code, github.com/miladsamim/GCRL at
/// 63b1e7e, `gcsl/gcsl/algo/traj_idm_dec.py`. FiLM has a residual. The gate's attention has a
/// residual, a normalisation, one head, and dropout on its output.
///
/// It differs from the log's code in: 1. matrices are drawn as PyTorch's attention draws them,
/// where `mha.py` draws normal numbers; 2. no weights of attention to the goal are computed or
/// dropped, as it is a single key.
///
/// Shapes: `B` rows, `T` states, `D` numbers in a token.
enum Conditioning {
  /// The goal is a token of its own; states are as they are.
  case token
  /// Each state's token has the goal's numbers behind its own.
  case concatenation
  /// Scale and shift.
  case film(MLP)
  /// A gate over attention to the goal.
  case gate(MultiHeadAttention, LayerNorm, Linear, Linear)

  init(_ kind: ConditioningKind, width: Int, _ make: ParameterMaker) {
    switch kind {
    case .token: self = .token
    case .concatenation: self = .concatenation
    case .film: self = .film(make.mlp("film", [width, 128, 128, 2 * width]))
    case .gate:
      self = .gate(
        MultiHeadAttention("gate.attention", width: width, heads: 1, make),
        make.norm("gate.norm", width), make.linear("gate.state", width, width),
        make.linear("gate.goal", width, width))
    }
  }

  /// The goal's own token among states that it came to, `[B, 1, D]`, or twice `[B, 1, 2 D]` for
  /// concatenation.
  func token(of goal: Tensor) -> Tensor {
    if case .concatenation = self { return .concatenated([goal, goal], along: 1).asToken }
    return goal.asToken
  }

  /// Tokens `[B, T, D]`, or `[B, T, 2 D]` for concatenation, of states `[B, T, D]` and goals `[B,
  /// D]`.
  func callAsFunction(_ states: Tensor, _ goal: Tensor, dropout: Dropout?) -> Tensor {
    let (rows, tokens, width) = (states.shape[0], states.shape[1], states.shape[2])
    let goals = goal.reshaped([rows, 1, width])
    switch self {
    case .token: return states
    case .concatenation:
      return .concatenated([states, goals.expanded(to: [rows, tokens, width])], along: 2)
    case .film(let network):
      let factors = network(goal).reshaped([rows, 1, 2 * width])
      let (scale, shift) = (
        factors.narrowed(0..<width, along: 2), factors.narrowed(width..<2 * width, along: 2)
      )
      return scale * states + shift + states
    case .gate(let attention, let norm, let ofState, let ofGoal):
      let attended = norm(states + dropout(attention(states, keys: goals)))
      let share = (ofState(states) + ofGoal(attended)).sigmoid()
      return states + share * (attended - states)
    }
  }
}
