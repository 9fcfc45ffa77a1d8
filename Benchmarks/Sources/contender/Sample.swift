import CLines
import Foundation
import GoalCore
import Replay
import Storage

// Batches of 256 rows from FetchPush's sizes. The amount is rows.

private let rows = 256
private let task = GoalTask(identifier: "fetch-push", spec: pushSpec, goalIndices: [3, 4, 5])

/// Writes shards of one million steps each, which many contenders then map.
func makeShards(_ path: String, millions: Int) throws {
  let folder = URL(fileURLWithPath: path)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  let first = folder.appendingPathComponent("0.h5")
  try ShardWriter.write(pushTrajectories(), spec: pushSpec, to: first)
  for number in 1..<max(1, millions) {
    try FileManager.default.copyItem(
      at: first, to: folder.appendingPathComponent("\(number).h5"))
  }
}

/// Shards of a folder, read into memory once so that no disk is timed.
private func columns(_ path: String, millions: Int) throws -> [TrajectoryColumns] {
  let columns = try (0..<millions).map { number in
    try ShardReader(
      contentsOf: URL(fileURLWithPath: path).appendingPathComponent("\(number).h5"), spec: pushSpec
    ).columns()
  }
  var sum: Float = 0
  for column in columns {
    for values in [column.observations, column.achievedGoals] {
      for k in stride(from: 0, to: values.count, by: 1024) { sum += values[k] }
    }
    if let desired = column.desiredGoals {
      for k in stride(from: 0, to: desired.count, by: 1024) { sum += desired[k] }
    }
    if case .continuous(let values) = column.actions {
      for k in stride(from: 0, to: values.count, by: 1024) { sum += values[k] }
    }
  }
  precondition(sum.isFinite)
  return columns
}

/// Draws batches of a named scheme, from mapped columns or from episodes packed in large pages.
func sample(scheme: String, folder: String, millions: Int, packed: Bool) throws {
  let replay = EpisodeReplay(
    task: task, columns: try columns(folder, millions: millions),
    placement: packed ? .packed : .inPlace)
  let sampler = Sampler(try NamedScheme.scheme(scheme), source: replay, seed: 0)
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

/// What memory allows: no law, no copies, no rewards.
///
/// First come the addresses of HER's random rows; then their cache lines are asked for, into the second-level
/// cache, as the sampler does; and then one number of each is read. A row of mapped columns has seven lines on
/// four pages or so, a packed one five on one or two.
func sampleLimit(folder: String, millions: Int, packed: Bool) throws {
  let columns = try columns(folder, millions: millions)
  let each = columns[0].lengths.count
  var generator = Xoshiro256(seed: 1)
  var places = [UnsafePointer<Float>]()
  places.reserveCapacity(7 * rows)
  var sum: UInt32 = 0
  func serveReads(_ add: () -> Void) throws {
    try serve {
      for _ in 0..<400 {
        places.removeAll(keepingCapacity: true)
        for _ in 0..<rows { add() }
        for place in places { ask_for_line(place) }
        for place in places { sum ^= place.pointee.bitPattern }
      }
      return Double(400 * rows)
    }
  }
  if packed {
    let block = largePages(each * millions * 51 * 32)
    try serveReads {
      let (episode, step) = (generator.below(each * millions), generator.below(50))
      let state = block + (episode * 51 + step) * 32
      let goal = state + (1 + generator.below(50 - step)) * 32
      for place in [state, state + 16, state + 32, state + 48, goal] { places.append(place) }
    }
    return
  }
  let starts = columns.map { column in
    guard case .continuous(let actions) = column.actions else { preconditionFailure("FetchPush") }
    return (column.observations.baseAddress, actions.baseAddress, column.achievedGoals.baseAddress)
  }
  try serveReads {
    let (observations, actions, achieved) = starts[generator.below(starts.count)]
    guard let observations, let actions, let achieved else { return }
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
  withExtendedLifetime((columns, sum)) {}
}

/// Numbers in large pages, all of them touched.
private func largePages(_ count: Int) -> UnsafeMutablePointer<Float> {
  let huge = 2 << 20
  let size = (count * 4 + huge - 1) / huge * huge
  let block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: huge)
  precondition(madvise(block, size, MADV_HUGEPAGE) == 0, "no huge pages here")
  let place = block.bindMemory(to: Float.self, capacity: size / 4)
  place.initialize(repeating: 1, count: size / 4)
  return place
}
