internal import GoalCore
internal import Replay
internal import Torch

/// A categorical policy that is trained towards the choices that the data's actions come nearest
/// to.
///
///     loss = −mean_b Σ_h ln π_h(c_bh | s_b, g_b)
///
/// Source: github.com/dibyaghosh/gcsl at cfae560, `gcsl/algo/{gcsl,networks}.py`.
///
/// Shapes: `B` rows, `H` heads, `C` classes.
final class CategoricalImitation: PolicyNetwork, Imitator {
  private let codec: ActionCodec
  private let choosing, collecting: Choosing

  init(
    task: GoalTask, codec: ActionCodec, choosing: Choosing, collecting: Choosing,
    hiddenWidths: [Int], learningRate: Double, normalizer: NormalizerSettings,
    weights: InitialWeights, stepsLeft: Bool, seed: UInt64
  ) {
    self.codec = codec
    (self.choosing, self.collecting) = (choosing, collecting)
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
    metrics.append("policy_loss", loss.float)
    ChoiceDiagnostics(logits: logits, data: choices, codec: codec).append(to: &metrics)
    measure(gradients: gradients, batch: batch, into: &metrics)
    return metrics
  }

  /// The loss and the logits `[B · H, C]` of a batch whose actions are nearest to `choices`, `[B ·
  /// H]`.
  private func loss(on batch: GoalBatch, _ choices: [Int64]) -> (loss: Tensor, logits: Tensor) {
    let logits = network(input(batch)).reshaped([choices.count, codec.classes])  // [B · H, C]
    let target = Tensor(choices, shape: [choices.count])
    let mean = logits.crossEntropy(of: target)  // over rows and heads
    return (codec.heads == 1 ? mean : mean * Double(codec.heads), logits)
  }

  /// The loss on a batch that is not trained on.
  func losses(on batch: GoalBatch) -> Metrics {
    withoutGradients {
      var metrics = Metrics()
      metrics.append("policy_loss", loss(on: batch, codec.choices(of: batch.actions)).loss.float)
      return metrics
    }
  }

  /// The present policy as it is evaluated.
  func makePolicy() -> any GoalPolicy { policy(choosing) }

  /// The present policy as it collects.
  func makeCollectingPolicy() -> any GoalPolicy { policy(collecting) }

  private func policy(_ choosing: Choosing) -> any GoalPolicy {
    CategoricalPolicy(snapshot: snapshot, codec: codec, choosing: choosing)
  }
}
