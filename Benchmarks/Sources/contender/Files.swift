import Foundation
import GoalCore
import HDF5
import Storage

// One million transitions with FetchPush's sizes: 20,000 episodes of 50 steps. The amount is
// transitions.

private let episodes = 20_000
private let steps = 50
let pushSpec = GoalSpec(
  observation: 25, goal: 3,
  action: .continuous(low: [-1, -1, -1, -1], high: [1, 1, 1, 1]), horizon: steps,
  successThreshold: 0.05, metric: "m", controlPeriod: 0.04)
private let transitions = Double(episodes * steps)
private let rows = episodes * (steps + 1)
private let file = FileManager.default.temporaryDirectory
  .appendingPathComponent("goalpost-benchmark-\(getpid()).h5")

/// The columns that the h5py contender writes too: name, type, shape.
private let columns: [(name: String, type: HDF5Type, shape: [Int])] = [
  ("observations", .float32, [rows, 25]), ("actions", .float32, [episodes * steps, 4]),
  ("achieved_goals", .float32, [rows, 3]), ("desired_goals", .float32, [episodes, 3]),
  ("rewards", .float32, [episodes * steps]), ("successes", .uint8, [episodes * steps]),
  ("episode_lengths", .int32, [episodes]), ("seeds", .uint64, [episodes]),
]

private func filled() -> [[UInt8]] {
  var generator = Xoshiro256(seed: 1)
  return columns.map { column in
    let count = column.shape.reduce(column.type.byteCount, *)
    return [UInt8](unsafeUninitializedCapacity: count) { bytes, used in
      for k in 0..<count { bytes[k] = UInt8(truncatingIfNeeded: generator.next()) }
      used = count
    }
  }
}

/// Writes prepared columns, contiguous, and closes: no digest, no flush.
func writeColumns() throws {
  let data = filled()
  defer { try? FileManager.default.removeItem(at: file) }
  try serve {
    let made = try HDF5File(creating: file)
    for (column, bytes) in zip(columns, data) {
      try bytes.withUnsafeBytes {
        try made.write(column.name, column.type, shape: column.shape, bytes: $0)
      }
    }
    try made.close()
    return transitions
  }
}

func pushTrajectories() -> [Trajectory] {
  var generator = Xoshiro256(seed: 2)
  func numbers(_ count: Int) -> [Float] {
    (0..<count).map { _ in Float(generator.next() >> 40) * 0x1p-24 }
  }
  return (0..<episodes).map { number in
    var episode = Trajectory(
      index: Int64(number), seed: UInt64(number), action: pushSpec.action, desiredGoal: numbers(3))
    episode.length = steps
    episode.observations = numbers((steps + 1) * 25)
    episode.achievedGoals = numbers((steps + 1) * 3)
    episode.actions = .continuous(numbers(steps * 4))
    episode.rewards = [Float](repeating: -1, count: steps)
    episode.successes = [Bool](repeating: false, count: steps)
    episode.sources = [BehaviourSource](repeating: .policy, count: steps)
    episode.truncated = true
    return episode
  }
}

/// Writes episodes as a shard: digest, flush and rename included.
func writeShard() throws {
  let all = pushTrajectories()
  defer { try? FileManager.default.removeItem(at: file) }
  try serve {
    try ShardWriter.write(all, spec: pushSpec, to: file)
    return transitions
  }
}

/// Reads every number of the mapped columns into memory of its own, as h5py does.
func readColumns() throws {
  try ShardWriter.write(pushTrajectories(), spec: pushSpec, to: file)
  defer { try? FileManager.default.removeItem(at: file) }
  try serve {
    let read = try ShardReader(contentsOf: file, spec: pushSpec).columns()
    var copies: [[Float]] = [
      Array(read.observations), Array(read.achievedGoals),
    ]
    if let desired = read.desiredGoals { copies.append(Array(desired)) }
    if case .continuous(let actions) = read.actions { copies.append(Array(actions)) }
    precondition(copies[0].count == rows * 25)
    return transitions
  }
}

/// Opens the shard and looks at one number of each page, as much as a trainer needs before it
/// draws.
func mapColumns() throws {
  try ShardWriter.write(pushTrajectories(), spec: pushSpec, to: file)
  defer { try? FileManager.default.removeItem(at: file) }
  var sum: Float = 0
  try serve {
    let read = try ShardReader(contentsOf: file, spec: pushSpec).columns()
    for column in [read.observations, read.achievedGoals, read.desiredGoals].compactMap({ $0 }) {
      for k in stride(from: 0, to: column.count, by: 1024) { sum += column[k] }
    }
    return transitions
  }
  precondition(sum.isFinite)
}

/// The SHA-256 of the shard's file.
func digest() throws {
  try ShardWriter.write(pushTrajectories(), spec: pushSpec, to: file)
  defer { try? FileManager.default.removeItem(at: file) }
  try serve {
    _ = try Digest.sha256(ofFile: file)
    return transitions
  }
}
