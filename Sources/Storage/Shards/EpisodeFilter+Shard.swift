public import GoalCore
public import Support

extension EpisodeFilter {
  /// The places of a shard's episodes that satisfy the condition, ascending.
  ///
  /// - Throws: `notRead` if the shard lacks the column that a measure comes from.
  public func places(in reader: ShardReader, of task: GoalTask) throws(FileError) -> [Int] {
    var values: [Measure: [Double]] = [:]
    for measure in Set(comparisons.map(\.measure)) {
      values[measure] = try measure.values(in: reader, of: task)
    }
    return (0..<reader.episodes).filter { episode in
      comparisons.allSatisfy { comparison in
        values[comparison.measure].map { comparison.relation.holds($0[episode], comparison.bound) }
          ?? false
      }
    }
  }
}

extension EpisodeFilter.Measure {
  /// It of each episode of a shard.
  func values(in reader: ShardReader, of task: GoalTask) throws(FileError) -> [Double] {
    func require(_ column: ShardColumn) throws(FileError) {
      guard reader.has(column) else {
        throw .notRead(
          file: reader.path, dataset: column.rawValue,
          reason: "it is not stored, so no episode has a measure '\(rawValue)'")
      }
    }
    switch self {
    case .length: return reader.lengths.map(Double.init)
    case .success, .successEver:
      try require(.successes)
      let flags = try reader.column(.successes, as: UInt8.self)
      return steps(of: reader).map { steps in
        let isReached =
          self == .success
          ? flags[steps.upperBound - 1] != 0 : steps.contains { flags[$0] != 0 }
        return isReached ? 1 : 0
      }
    case .fullReturn:
      try require(.rewards)
      let rewards = try reader.floats(.rewards)
      return steps(of: reader).map { steps in
        steps.reduce(0) { $0 + (Double(rewards[$1]) + 1) }
      }
    case .finalDistance:
      try require(.desiredGoals)
      let columns = try reader.columns()
      defer { withExtendedLifetime(columns) {} }
      guard let achieved = columns.achievedGoals.baseAddress,
        let desired = columns.desiredGoals?.baseAddress
      else { throw .missingDataset(file: reader.path, dataset: ShardColumn.desiredGoals.rawValue) }
      let width = task.spec.goal
      return steps(of: reader).enumerated().map { episode, steps in
        // Each episode before has a state more than steps.
        let last = steps.upperBound + episode
        return task.distance(
          achieved + last * width, desired + (columns.goalsMove ? last : episode) * width)
      }
    }
  }

  /// The steps of each episode.
  private func steps(of reader: ShardReader) -> [Range<Int>] {
    var start = 0
    return reader.lengths.map { length in
      defer { start += length }
      return start..<start + length
    }
  }
}
