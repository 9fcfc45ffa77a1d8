import Foundation
import GoalCore
import HDF5
import Storage
import Support

/// The set of `.npy` files that WGCSL's converter makes for BCQ and CQL: one row for each step.
///
///     state.npy       [N, O + 2 G]   observation, desired goal, achieved goal before the step
///     next_state.npy  [N, O + 2 G]   the same after it
///     action.npy      [N, A]
///     reward.npy      [N, 1]
///     done.npy        [N, 1]         1 in the last row of each episode
///     not_done.npy    [N, 1]         1 − done
///
/// Widths do not say where a goal begins: that takes the world's task or the length of a goal. Of
/// `done` and `not_done` one is enough; they end episodes by time.
///
/// Source: github.com/YangRui2015/AWGCSL at d8f1c56, `convert_buffer_to_npy.py`. That script
/// rewards the state before the step; what is written here has the reward of the state after it, as
/// the world gives it.
struct WGCSLArrays: DatasetFormat {
  let name = "wgcsl-npy"
  let summary = "WGCSL's state.npy, next_state.npy, action.npy and others"

  func recognizes(_ url: URL) -> Bool {
    let folder = WGCSLArrays.folder(of: url)
    return ["state.npy", "next_state.npy", "action.npy"].allSatisfy {
      FileManager.default.fileExists(atPath: folder.appendingPathComponent($0).path)
    }
  }

  func isMeant(by output: URL) -> Bool { false }

  func files(of url: URL) throws(FileError) -> [URL] {
    let folder = WGCSLArrays.folder(of: url)
    return ["state", "next_state", "action", "reward", "done", "not_done"].map {
      folder.appendingPathComponent($0 + ".npy")
    }.filter { FileManager.default.fileExists(atPath: $0.path) }
  }

  func open(_ url: URL, _ options: FormatOptions) throws(FileError) -> any TrajectorySource {
    try WGCSLSteps(WGCSLArrays.folder(of: url), options)
  }

  /// The folder, or that of one of its files.
  private static func folder(of url: URL) -> URL {
    url.pathExtension == "npy" ? url.deletingLastPathComponent() : url
  }

  func write(_ request: FormatRequest) throws(FileError) -> ConversionNotes {
    let source = request.source
    let remedy = "name the world with --environment, or say when a goal is reached with --threshold"
    let observations = try request.needed(.observations, "every dataset has them")
    let achieved = try request.achieved()
    let desired = try request.needed(.desiredGoals, "the episodes were not collected with goals")
    let actions = try request.needed(.actions, "every dataset has them")
    let rewards = try request.needed(.rewards, remedy)
    let isWide = [observations, achieved, desired].contains { $0.type == .float64 }
    let type: HDF5Type = isWide ? .float64 : .float32
    let width = observations.width + desired.width + achieved.width
    let steps = source.steps

    let folder = try PartFolder(for: request.url)
    let states = [("state", 0), ("next_state", 1)].map { name, offset in
      FlatArray(
        name, type, shape: [steps, width], .steps,
        of: [.observations, .achievedGoals, .desiredGoals]
      ) { table in
        let parts = [table.known(.observations), table.known(.desiredGoals), table.achieved]
        return WGCSLArrays.joined(table, parts.map { $0.widened(isWide) }, offset: offset)
      }
    }
    let taken = FlatArray(
      "action", actions.type, shape: [steps, actions.width], .steps, of: [.actions]
    ) { $0.known(.actions) }
    let given = FlatArray("reward", rewards.type, shape: [steps, 1], .steps, of: [.rewards]) {
      $0.known(.rewards)
    }
    let flags = [("done", Float(1)), ("not_done", 0)].map { name, last in
      FlatArray(name, .float32, shape: [steps, 1], .steps, of: []) { table in
        var flags = [Float](repeating: 1 - last, count: table.steps)
        for end in table.starts(on: .steps).dropFirst() { flags[end - 1] = last }
        return TableColumn(.float32, axis: .steps, flags)
      }
    }
    var writers: [NumpyWriter] = []
    for array in states + [taken, given] + flags {
      writers.append(
        try NumpyWriter(folder.url.appendingPathComponent(array.name + ".npy"), array))
    }
    try request.fill(writers.map(\.array))
    for writer in writers { try writer.commit() }
    try folder.commit()

    var notes = ConversionNotes()
    let kept: [ShardColumn] = [
      .observations, .actions, .achievedGoals, .desiredGoals, .rewards,
    ]
    notes.lost = request.lost(but: Set(kept.map(\.rawValue)))
    notes.computed.append("done, 1 in the last row of each episode, however it ended")
    return notes
  }

  /// Rows of steps: an observation, a desired and an achieved goal each, of the state before the
  /// step or, with `offset` 1, after it.
  private static func joined(
    _ table: TrajectoryTable, _ parts: [TableColumn], offset: Int
  ) -> TableColumn {
    let width = parts.reduce(0) { $0 + $1.width }
    let moves = table.goalsMove
    return TableColumn(parts[0].type, rowShape: [width], axis: .steps, rows: table.steps) {
      target in
      guard var place = target.baseAddress else { return }
      var state = 0
      for (episode, length) in table.lengths.enumerated() {
        for t in 0..<length {
          let row = state + t + offset
          for (number, part) in parts.enumerated() {
            let index = number == 1 && !moves ? episode : row
            let size = part.rowBytes
            if let base = part.bytes.baseAddress {
              place.copyMemory(from: base + index * size, byteCount: size)
            }
            place += size
          }
        }
        state += length + 1
      }
      withExtendedLifetime(parts) {}
    }
  }
}
