internal import GoalCore

/// Metrics that show whether a policy of continuous actions has collapsed: its actions on a batch
/// beside those of the data.
///
/// Shapes: `B` rows, `A` numbers in an action, all in [−1, 1].
struct ActionDiagnostics {
  /// The policy's actions, `[B, A]`.
  let policy: [Float]
  /// The data's actions, `[B, A]`.
  let data: [Float]
  /// Numbers in an action, `A`.
  let width: Int

  /// Appends numbers, and the distribution of each number of the action.
  ///
  /// `action_entropy` is that of a histogram of the policy's actions with ten bins on [−1, 1], in
  /// nats, averaged over dimensions. It is 0 if every action is the same, and at most ln 10 =
  /// 2.303. `data_action_entropy` is the same of the data.
  func append(to metrics: inout Metrics) {
    let count = Float(max(1, policy.count))
    metrics.append("action_error", zip(policy, data).reduce(0) { $0 + abs($1.0 - $1.1) } / count)
    metrics.append("action_magnitude", policy.reduce(0) { $0 + abs($1) } / count)
    metrics.append("action_saturation", Float(policy.count { abs($0) > 0.99 }) / count)
    metrics.append("action_entropy", entropy(policy))
    metrics.append("data_action_entropy", entropy(data))
    for k in 0..<width {
      metrics.append(
        sample: "action/\(k)", stride(from: k, to: policy.count, by: width).map { policy[$0] })
    }
  }

  private func entropy(_ actions: [Float]) -> Float {
    let bins = 10
    var counts = [Int](repeating: 0, count: width * bins)
    for (k, action) in actions.enumerated() where action.isFinite {
      let bin = Int(((action + 1) / 2 * Float(bins)).clamped(from: 0, to: Float(bins - 1)))
      counts[k % width * bins + bin] += 1
    }
    return meanEntropy(of: counts, rows: max(1, actions.count / width), bins: bins)
  }
}
