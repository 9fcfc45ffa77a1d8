import Foundation
import Glibc
import GoalCore
import Replay
import Storage

// Batches of 256 rows from FetchPush's sizes. The amount is rows.

private let rows = 256

/// Prepared episodes: shards of one million steps, mapped; or copied into huge pages.
private struct Data {
  let columns: [TrajectoryColumns]

  init(millions: Int, huge: Bool) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("goalpost-benchmark-\(getpid())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let first = folder.appendingPathComponent("0.h5")
    try ShardWriter.write(pushTrajectories(), spec: pushSpec, to: first)
    if huge {
      let read = try ShardReader(contentsOf: first, spec: pushSpec).columns()
      columns = (0..<millions).map { _ in inHugePages(read) }
    } else {
      columns = try (0..<millions).map { number in
        let file = folder.appendingPathComponent("\(number).h5")
        if number > 0 { try FileManager.default.copyItem(at: first, to: file) }
        return try ShardReader(contentsOf: file, spec: pushSpec).columns()
      }
    }
    // The data are in memory before anything is timed.
    var sum: Float = 0
    for column in columns {
      for values in [column.observations, column.achievedGoals, column.desiredGoals].compactMap({
        $0
      }) {
        for k in stride(from: 0, to: values.count, by: 1024) { sum += values[k] }
      }
      if case .continuous(let values) = column.actions {
        for k in stride(from: 0, to: values.count, by: 1024) { sum += values[k] }
      }
    }
    precondition(sum.isFinite)
    // Open maps stay readable; nothing is left behind, whatever ends the process.
    try FileManager.default.removeItem(at: folder)
  }
}

private func inHugePages(_ columns: TrajectoryColumns) -> TrajectoryColumns {
  func copied(_ values: UnsafeBufferPointer<Float>) -> UnsafeBufferPointer<Float> {
    let huge = 2 << 20
    let size = (values.count * 4 + huge - 1) / huge * huge
    let block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: huge)
    precondition(madvise(block, size, MADV_HUGEPAGE) == 0, "no huge pages here")
    let place = block.bindMemory(to: Float.self, capacity: values.count)
    if let start = values.baseAddress { place.update(from: start, count: values.count) }
    return UnsafeBufferPointer(start: place, count: values.count)
  }
  guard case .continuous(let actions) = columns.actions else { preconditionFailure("FetchPush") }
  return TrajectoryColumns(
    observations: copied(columns.observations), actions: .continuous(copied(actions)),
    achievedGoals: copied(columns.achievedGoals), desiredGoals: columns.desiredGoals.map(copied),
    goalsMove: columns.goalsMove, lengths: columns.lengths, owner: nil)
}

/// Draws batches of a named scheme.
func sample(scheme: String, millions: Int, huge: Bool) throws {
  let data = try Data(millions: millions, huge: huge)
  let task = GoalTask(identifier: "fetch-push", spec: pushSpec, goalIndices: [3, 4, 5])
  let sampler = Sampler(
    try NamedScheme.scheme(scheme), source: EpisodeReplay(task: task, columns: data.columns),
    seed: 0)
  var batch = sampler.makeBatch()
  var number: UInt64 = 0
  try serve {
    for _ in 0..<400 {
      sampler.draw(number, into: &batch)
      number += 1
    }
    return Double(400 * rows)
  }
}

/// What memory allows.
///
/// First come the addresses of random rows, then one number of each of their cache lines is read, none of
/// which waits for another: no law, no copies, no rewards.
func sampleLimit(millions: Int, huge: Bool) throws {
  let data = try Data(millions: millions, huge: huge)
  var generator = Xoshiro256(seed: 1)
  let each = data.columns[0].lengths.count
  let starts = data.columns.map { column in
    guard case .continuous(let actions) = column.actions else { preconditionFailure("FetchPush") }
    return (column.observations.baseAddress, actions.baseAddress, column.achievedGoals.baseAddress)
  }
  var places = [UnsafePointer<Float>]()
  places.reserveCapacity(7 * rows)
  var sum: UInt32 = 0
  try serve {
    for _ in 0..<400 {
      places.removeAll(keepingCapacity: true)
      for _ in 0..<rows {
        let (observations, actions, achieved) = starts[generator.below(starts.count)]
        guard let observations, let actions, let achieved else { continue }
        let (episode, step) = (generator.below(each), generator.below(50))
        let goal = step + 1 + generator.below(50 - step)
        let state = observations + (episode * 51 + step) * 25
        for place in [
          state, state + 16, state + 32, state + 49, actions + (episode * 50 + step) * 4,
          achieved + (episode * 51 + step + 1) * 3, achieved + (episode * 51 + goal) * 3,
        ] {
          places.append(place)
        }
      }
      for place in places { sum ^= place.pointee.bitPattern }
    }
    return Double(400 * rows)
  }
  withExtendedLifetime((data, sum)) {}
}
