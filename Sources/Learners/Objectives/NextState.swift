internal import Torch

/// Along which dimension the next state is looked for.
public enum NextStateAxis: String, SettingChoice {
  /// Time: the state after this one in the same sequence.
  case time
  /// The batch: the state at the same time in the next sequence, as the log's code does by mistake.
  case batch
}

/// How next states are predicted besides actions.
public struct NextStateSettings: SettingGroup {
  /// The weight of the loss in the sum; PACT's is 1.
  @Setting("weight of the prediction of next states; PACT's is 1", .weight, "PACT")
  public var weight = 0.0
  /// Along which dimension the next state is looked for.
  @Setting(
    "time: the next state of the same sequence; batch: the log's mistake, the same "
      + "time in the next sequence",
    "PACT; the log, pact.py")
  public var axis = NextStateAxis.time
  /// The features that the next state is predicted from.
  @Setting(
    "step: from the tokens of state and action; goal: from those of state and goal", "PACT; the log"
  )
  public var reads = NextStateReads.step
  /// Hidden units of the layers that say it.
  @Setting("hidden units of the layers that say the next state", .widths, "pact.py: 128, 128")
  public var widths: [Int] = []

  /// No prediction.
  public init() {}
}

/// The features that a next state is predicted from.
public enum NextStateReads: String, SettingChoice {
  /// The tokens of state and action.
  case step
  /// The tokens of state and goal.
  case goal
}

/// The loss of next states that a model of sequences predicts from state and action.
///
///     n = Σ_{b, t < W−1} m_bt m_b,t+1
///     loss = Σ_{b, t < W−1} m_bt m_b,t+1 Σ_k (p_btk − x_b,t+1,k)² / (S n)
///
/// where p_bt is predicted at step t and x are the states. Bonatti et al., "PACT: Perception-Action
/// Causal Transformer for Autoregressive Robotics Pre-Training", arXiv:2209.11133, section III;
/// reference code github.com/microsoft/PACT at 6e3d8f3, `src/models/pretrain.py`.
///
/// It differs from the reference in: 1. steps of padding do not count; 2. the reference predicts
/// embeddings of states and lets gradients flow into those that are predicted, which here is so
/// only if `states` is recorded: detach it, or give observations.
///
/// With `axis = batch` it is instead the log's own, whose slice is off by one along the batch
/// (github.com/miladsamim/GCRL at 63b1e7e, `gcsl/algo/{pact,dt_gpt}.py`). It has x_b+1,t in place
/// of x_b,t+1, so a prediction is compared with another trajectory.
///
/// Shapes: `B` sequences, `W` steps, `S` numbers of a state.
enum NextState {
  /// The loss, `[]`, of predictions and states `[B, W, S]`; the mask `[B · W]` is 1 if there is a
  /// state.
  static func loss(
    _ predictions: Tensor, states: Tensor, mask: [Float], axis: NextStateAxis = .time
  ) -> Tensor {
    let shape = states.shape
    precondition(
      shape == predictions.shape && mask.count == shape[0] * shape[1],
      "a prediction and a mask for each state of \(shape), found \(predictions.shape), \(mask.count)"
    )
    // In rows [B · W], the next state stands one row further, or a whole sequence.
    let (rows, width) = (mask.count, shape[2])
    let stride = axis == .time ? 1 : shape[1]
    let hasNext = (0..<max(0, rows - stride)).map { row in
      (axis == .batch || (row + 1) % shape[1] != 0) && mask[row] > 0 && mask[row + stride] > 0
    }
    let count = hasNext.count { $0 } * width
    precondition(count > 0, "a batch of sequences has a state that follows another")
    let weights = Tensor(hasNext.map { $0 ? 1 : 0 } as [Float], shape: [hasNext.count, 1])
    let found = predictions.reshaped([rows, width]).rows(0..<hasNext.count)
    let next = states.reshaped([rows, width]).rows(stride..<rows)
    return ((found - next).squared() * weights).sum() * (1 / Double(count))
  }
}
