internal import Glibc
internal import Torch

/// Metrics that show whether a categorical policy learns and whether it has collapsed: its choices
/// on a batch beside those of the data.
///
/// Shapes: `N` rows, `H` heads, `C` classes.
struct ChoiceDiagnostics {
  /// The policy's logits, `[N · H, C]`.
  let logits: Tensor
  /// The data's choices, `[N · H]`.
  let data: [Int64]
  /// What they are choices of.
  let codec: ActionCodec

  /// Appends numbers, and the distribution of each head's choices.
  ///
  /// `policy_entropy` is the mean entropy of π, in nats, averaged over heads. `action_entropy` is
  /// that of the histogram of the most probable classes: 0 if every action is the same.
  /// `data_action_entropy` is that of the data's choices.
  func append(to metrics: inout Metrics) {
    let (heads, classes) = (codec.heads, codec.classes)
    let probabilities = withoutGradients { logits.detached().softmax().floats }
    var counts = [Int](repeating: 0, count: heads * classes)
    var ofData = counts
    var chosen = [[Float]](repeating: [], count: heads)
    var (right, entropy): (Float, Float) = (0, 0)
    for (row, choice) in data.enumerated() {
      let head = probabilities[row * classes..<(row + 1) * classes]
      let best = (head.indices.max { head[$0] < head[$1] } ?? head.startIndex) - head.startIndex
      counts[row % heads * classes + best] += 1
      ofData[row % heads * classes + Int(choice)] += 1
      chosen[row % heads].append(Float(best))
      right += best == Int(choice) ? 1 : 0
      entropy -= head.reduce(0) { $1 > 0 ? $0 + $1 * log($1) : $0 }
    }
    let count = Float(max(1, data.count))
    let rows = max(1, data.count / heads)
    metrics.append("action_accuracy", right / count)
    metrics.append("policy_entropy", entropy / count)
    metrics.append("action_entropy", meanEntropy(of: counts, rows: rows, bins: classes))
    metrics.append("data_action_entropy", meanEntropy(of: ofData, rows: rows, bins: classes))
    for (head, classes) in chosen.enumerated() { metrics.append(sample: "action/\(head)", classes) }
  }
}
