internal import Glibc
internal import GoalCore
internal import Replay
internal import Torch

/// A categorical policy that is trained towards the choices that the data's actions come nearest to.
///
///     loss = −mean_b Σ_h ln π_h(c_bh | s_b, g_b)
///
/// Source: github.com/dibyaghosh/gcsl at cfae560, `gcsl/algo/{gcsl,networks}.py`.
///
/// Shapes: `B` rows, `H` heads, `C` classes.
final class CategoricalImitation: PolicyNetwork, Imitator {
  private let codec: ActionCodec
  private let choosing: Choosing

  init(
    task: GoalTask, codec: ActionCodec, choosing: Choosing, hiddenWidths: [Int],
    learningRate: Double, normalizer: NormalizerSettings, weights: InitialWeights, stepsLeft: Bool,
    seed: UInt64
  ) {
    self.codec = codec
    self.choosing = choosing
    super.init(
      task: task, outputs: codec.heads * codec.classes, hiddenWidths: hiddenWidths,
      learningRate: learningRate, normalizer: normalizer, weights: weights, stepsLeft: stepsLeft,
      seed: seed)
  }

  /// One update of plain imitation: every row of the batch counts the same.
  func imitate(_ batch: GoalBatch, measuring: Bool) -> Metrics? {
    let choices = codec.choices(of: batch.actions)  // [B · H]
    let (loss, logits) = loss(on: batch, choices)
    let gradients = optimizer.step(minimizing: loss)
    observe(batch)
    guard measuring else { return nil }
    var metrics = Metrics()
    measure(loss: loss, logits: logits, choices: choices, batch: batch, into: &metrics)
    measure(gradients: gradients, batch: batch, into: &metrics)
    return metrics
  }

  /// The loss and the logits `[B · H, C]` of a batch whose actions are nearest to `choices`, `[B · H]`.
  private func loss(on batch: GoalBatch, _ choices: [Int64]) -> (loss: Tensor, logits: Tensor) {
    let logits = network(input(batch)).reshaped([choices.count, codec.classes])  // [B · H, C]
    let target = Tensor(choices, shape: [choices.count])
    return (logits.crossEntropy(of: target) * Double(codec.heads), logits)
  }

  /// The loss on a batch that is not trained on.
  func losses(on batch: GoalBatch) -> Metrics {
    withoutGradients {
      var metrics = Metrics()
      metrics.append("policy_loss", loss(on: batch, codec.choices(of: batch.actions)).loss.float)
      return metrics
    }
  }

  /// Appends what shows whether the policy learns and whether it has collapsed.
  ///
  /// `policy_entropy` is the mean entropy of π, in nats, averaged over heads; `action_entropy` is that
  /// of the histogram of the most probable classes: 0 where every action is the same; and
  /// `data_action_entropy` that of the data's choices.
  private func measure(
    loss: Tensor, logits: Tensor, choices: [Int64], batch: GoalBatch, into metrics: inout Metrics
  ) {
    let probabilities = withoutGradients { logits.detached().softmax().floats }
    var counts = [Int](repeating: 0, count: codec.heads * codec.classes)
    var ofData = counts
    var chosen = [[Float]](repeating: [], count: codec.heads)
    var (right, entropy): (Float, Float) = (0, 0)
    for (row, choice) in choices.enumerated() {
      let head = probabilities[row * codec.classes..<(row + 1) * codec.classes]
      let best = (head.indices.max { head[$0] < head[$1] } ?? head.startIndex) - head.startIndex
      counts[row % codec.heads * codec.classes + best] += 1
      ofData[row % codec.heads * codec.classes + Int(choice)] += 1
      chosen[row % codec.heads].append(Float(best))
      right += best == Int(choice) ? 1 : 0
      entropy -= head.reduce(0) { $1 > 0 ? $0 + $1 * log($1) : $0 }
    }
    metrics.append("policy_loss", loss.float)
    metrics.append("action_accuracy", right / Float(choices.count))
    metrics.append("policy_entropy", entropy / Float(choices.count))
    metrics.append(
      "action_entropy", meanEntropy(of: counts, rows: batch.count, bins: codec.classes))
    metrics.append(
      "data_action_entropy", meanEntropy(of: ofData, rows: batch.count, bins: codec.classes))
    for (head, classes) in chosen.enumerated() { metrics.append(sample: "action/\(head)", classes) }
  }

  /// The present policy.
  func makePolicy() -> any GoalPolicy {
    CategoricalPolicy(snapshot: snapshot, codec: codec, choosing: choosing)
  }
}
