public import GoalCore
import HDF5

extension TrajectoryTable {
  /// Episodes as they were rolled out, in the columns that a shard of them has.
  ///
  /// Log-probabilities, states and images are left out if the first episode has none. Traps if an
  /// episode's columns do not have the lengths that its specification gives.
  public init(_ trajectories: [Trajectory], spec: GoalSpec, imageShape: [Int] = []) {
    guard let first = trajectories.first else { preconditionFailure("a shard has an episode") }
    self.init(indices: trajectories.map(\.index), lengths: trajectories.map(\.length))
    let stateLength = first.states.count / (first.length + 1)
    let goalsMove = first.desiredGoal.count > spec.goal

    func put<Element: BitwiseCopyable>(
      _ column: ShardColumn, from part: (borrowing Trajectory) -> [Element]
    ) {
      let shape = column.shape(
        for: spec, steps: steps, episodes: episodes, stateLength: stateLength,
        imageShape: imageShape, goalsMove: goalsMove)
      let axis = column == .desiredGoals && goalsMove ? .states : column.axis
      let type = column.types(for: spec)[0]
      let rowBytes = shape.dropFirst().reduce(type.byteCount, *)
      self[column] = TableColumn(
        type, rowShape: Array(shape.dropFirst()), axis: axis, rows: shape[0]
      ) { target in
        var position = 0
        for (place, length) in lengths.enumerated() {
          let count = TrajectoryTable.rows(on: axis, length: length) * rowBytes
          part(trajectories[place]).withUnsafeBytes { bytes in
            precondition(
              bytes.count == count,
              "episode \(indices[place]) of \(length) steps must have \(count) bytes of "
                + "'\(column.rawValue)', found \(bytes.count)")
            UnsafeMutableRawBufferPointer(rebasing: target[position...]).copyMemory(from: bytes)
          }
          position += count
        }
      }
    }

    put(.observations) { $0.observations }
    switch spec.action {
    case .continuous:
      put(.actions) { if case .continuous(let values) = $0.actions { values } else { [] } }
    case .discrete:
      put(.actions) { if case .discrete(let numbers) = $0.actions { numbers } else { [] } }
    }
    put(.achievedGoals) { $0.achievedGoals }
    put(.desiredGoals) { $0.desiredGoal }
    put(.rewards) { $0.rewards }
    put(.successes) { $0.successes.map { $0 ? UInt8(1) : 0 } }
    put(.seeds) { [$0.seed] }
    put(.terminated) { [$0.terminated ? UInt8(1) : 0] }
    put(.truncated) { [$0.truncated ? UInt8(1) : 0] }
    put(.sources) { $0.sources.map(\.rawValue) }
    if !first.logProbabilities.isEmpty { put(.logProbabilities) { $0.logProbabilities } }
    if stateLength > 0 { put(.states) { $0.states } }
    if !imageShape.isEmpty { put(.images) { $0.images } }
  }
}
