import HDF5
import Storage

extension TrajectoryTable {
  /// A column that its source has.
  func known(_ path: String) -> TableColumn {
    guard let column = self[path] else { preconditionFailure("a table has what its source names") }
    return column
  }

  /// A column of the layout's own that its source has.
  func known(_ column: ShardColumn) -> TableColumn { known(column.rawValue) }

  /// Desired goals, which there are, with a row for each step.
  var desiredGoalsBySteps: TableColumn {
    let goals = known(.desiredGoals)
    if goalsMove {
      let starts = starts(on: .states)
      return goals.gathered(
        zip(starts, lengths).lazy.map { $0..<($0 + $1) }, count: steps, axis: .steps)
    }
    return goals.repeated(lengths, axis: .steps)
  }

  /// Achieved goals, or the observations if these are the same.
  var achieved: TableColumn { self[.achievedGoals] ?? known(.observations) }

  /// Rows of steps and after each episode's its row of `last`.
  func rows(_ steps: TableColumn, withLast last: TableColumn) -> TableColumn {
    let size = steps.rowBytes
    return TableColumn(
      steps.type, rowShape: steps.rowShape, axis: .states, rows: self.steps + episodes
    ) { target in
      steps.withBytes { steps in
        last.withBytes { last in
          guard var place = target.baseAddress, var from = steps.baseAddress,
            let final = last.baseAddress
          else { return }
          for (episode, length) in lengths.enumerated() {
            place.copyMemory(from: from, byteCount: length * size)
            place += length * size
            from += length * size
            place.copyMemory(from: final + episode * size, byteCount: size)
            place += size
          }
        }
      }
    }
  }
}
