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

/// What memory allows: one random word a row, no law, no copies, no rewards.
///
/// The cache lines of HER's random rows are asked for, into the second-level cache, as the sampler
/// does; then one number of each is read. A row of mapped columns has seven lines on four pages or
/// so, a packed one five on one or two.
func sampleLimit(folder: String, millions: Int, packed: Bool) throws {
  let columns = try columns(folder, millions: millions)
  let each = columns[0].lengths.count
  if packed {
    let block = UnsafePointer(largePages(each * millions * 51 * 32))
    return try serveLines(5, of: each * millions) { episode, step, goal, lines in
      let state = block + (episode * 51 + step) * 32
      for k in 0..<4 { lines[k] = state + 16 * k }
      lines[4] = block + (episode * 51 + goal) * 32
    }
  }
  typealias Place = UnsafePointer<Float>
  let starts = columns.map { column -> (Place, Place, Place) in
    guard case .continuous(let values) = column.actions, let actions = values.baseAddress,
      let observations = column.observations.baseAddress,
      let achieved = column.achievedGoals.baseAddress
    else { preconditionFailure("FetchPush") }
    return (observations, actions, achieved)
  }
  try starts.withUnsafeBufferPointer { starts in
    try serveLines(7, of: each * millions) { number, step, goal, lines in
      let (shard, episode) = number.quotientAndRemainder(dividingBy: each)
      let (observations, actions, achieved) = starts[shard]
      let state = observations + (episode * 51 + step) * 25
      (lines[0], lines[1], lines[2], lines[3]) = (state, state + 16, state + 32, state + 49)
      lines[4] = actions + (episode * 50 + step) * 4
      lines[5] = achieved + (episode * 51 + step + 1) * 3
      lines[6] = achieved + (episode * 51 + goal) * 3
    }
  }
  withExtendedLifetime(columns) {}
}

/// Asks for `count` lines of each random row, and reads them when a batch is asked for.
///
/// `place` writes down the lines of a row, by its episode, step and goal.
@inline(__always)
private func serveLines(
  _ count: Int, of episodes: Int,
  _ place: (Int, Int, Int, UnsafeMutablePointer<UnsafePointer<Float>>) -> Void
) throws {
  let lines = UnsafeMutablePointer<UnsafePointer<Float>>.allocate(capacity: count * rows)
  var generator = Xoshiro256(seed: 1)
  var sum: UInt32 = 0
  try serve {
    var (own, total) = (generator, sum)
    for _ in 0..<400 {
      for row in 0..<rows {
        // Parts of one word are uniform enough.
        let word = own.next()
        let step = Int(((word & 0xffff) &* 50) >> 16)
        let goal = step + 1 + Int((((word >> 16) & 0xffff) &* UInt64(50 - step)) >> 16)
        place(Int(((word >> 32) &* UInt64(episodes)) >> 32), step, goal, lines + count * row)
      }
      for k in 0..<count * rows { ask_for_line(lines[k]) }
      for k in 0..<count * rows { total ^= lines[k].pointee.bitPattern }
    }
    (generator, sum) = (own, total)
    return Double(400 * rows)
  }
  withExtendedLifetime(sum) {}
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
