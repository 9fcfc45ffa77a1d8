import Statistics

/// What came of several seeds of one configuration.
public struct SeedsSummary: Sendable {
  /// The runs, in the order of their seeds.
  public let runs: [TrainingSummary]

  /// The last evaluation of each run, and what they are together; nil where some had none.
  ///
  /// Over the seeds: the interquartile mean with a bootstrap interval, and the mean with Student's
  /// interval, each 95 %.
  public func table() -> Table? {
    let evaluations = runs.compactMap(\.evaluation?.evaluation)
    guard runs.count >= 2, evaluations.count == runs.count else { return nil }
    let names = evaluations[0].byName.map(\.name)
    var table = Table(["seed"] + names + ["episodes"])
    let episodes = "\(evaluations[0].success.episodes)"
    for (run, evaluation) in zip(runs, evaluations) {
      table.rows.append(["\(run.seed)"] + evaluation.byName.map(\.value.text) + [episodes])
    }
    let columns = names.indices.map { k in evaluations.map { $0.byName[k].value.estimate } }
    table.rows.append(
      ["IQM (bootstrap)"] + columns.map { Intervals.interquartile($0).text } + [episodes])
    table.rows.append(
      ["mean (Student's t)"] + columns.map { Intervals.student($0).text } + [episodes])
    return table
  }
}
