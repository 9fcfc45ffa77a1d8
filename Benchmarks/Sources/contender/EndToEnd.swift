import Experiments
import Foundation

/// A whole run of training on a dataset: its sampler, updates, metrics and checkpoints; no
/// evaluation.
///
/// The amount is updates. A piece is a run of 2,000, with a row of metrics every 100 and a
/// checkpoint every 1,000, as by default.
func endToEnd(_ learner: String, dataset: String) throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "goalpost-benchmark-\(getpid())")
  var configuration = RunConfiguration()
  configuration.learner = learner
  configuration.datasets = [dataset]
  configuration.updates = 2_000
  configuration.evaluateEvery = 0
  try serve {
    try? FileManager.default.removeItem(at: folder)
    _ = try Training.run(configuration, in: folder)
    try? FileManager.default.removeItem(at: folder)
    return 2_000
  }
}
