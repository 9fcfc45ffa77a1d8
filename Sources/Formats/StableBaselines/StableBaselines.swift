import Foundation
import GoalCore
import HDF5
import Storage
import Support

/// The `.npz` in which stable-baselines 2 and imitation-learning code keep an expert's steps.
///
///     obs             [N, O]
///     actions         [N, A]; [N] or [N, 1] of integers if they are discrete
///     rewards         [N]
///     episode_starts  [N]     1 in an episode's first row
///     episode_returns [E]     optional
///
/// The state after an episode's last row is not known: that row's state is then the last one, and
/// its action and reward are left out. Read only.
///
/// Source: github.com/hill-a/stable-baselines 2.10,
/// `stable_baselines/gail/dataset/record_expert.py`.
struct StableBaselinesRows: DatasetFormat {
  let name = "sb2-npz"
  let summary = "stable-baselines 2's .npz of obs, actions, rewards and episode_starts; read only"

  func recognizes(_ url: URL) -> Bool {
    let names = NumpyArchive.names(in: url)
    return ["obs.npy", "actions.npy", "episode_starts.npy"].allSatisfy(names.contains)
  }

  func isMeant(by output: URL) -> Bool { false }

  let isReadOnly = true

  func open(_ url: URL, _ options: FormatOptions) throws(FileError) -> any TrajectorySource {
    let needed: Set = ["obs", "actions", "episode_starts"]
    let archive = try NumpyArchive(url, needed: needed.union(["rewards"]), options)
    let observations = try archive.array("obs")
    let actions = try archive.array("actions")
    let flags = try archive.array("episode_starts")
    try observations.checkIsVectors()
    let count = observations.shape[0]
    try actions.checkAreActions(count)
    try flags.check(shape: [count], "[\(count)]")
    var notes = ConversionNotes()
    var starts = NumpyRows.marked(flags)
    if starts.first != 0 {
      starts.insert(0, at: 0)
      notes.assumed.append("the first row begins an episode, though episode_starts do not say so")
    }
    let all = zip(starts, starts.dropFirst() + [count]).map { $0..<$1 }
    let long = all.filter { $0.count > 1 }
    guard !long.isEmpty else {
      throw .cannotConvert(
        url.path,
        reason: "all \(all.count) episodes have one row, so no step of which both states are known")
    }
    if let short = all.first(where: { $0.count == 1 }) {
      notes.lost.append(
        "obs, actions and others of \(all.count - long.count) of \(all.count) episodes, which have one row and "
          + "so no step, first row \(short.lowerBound)")
    }
    notes.lost.append(
      "actions and rewards of each episode's last row, as the state after it is not stored; so every episode "
        + "is cut off by time")
    var parts = [
      NumpyRows.Part(ShardColumn.observations.rawValue, observations, .states),
      NumpyRows.Part(ShardColumn.actions.rawValue, actions, .steps),
    ]
    for (name, array) in archive.arrays where !needed.contains(name) {
      if name == "rewards", array.isColumn(of: count), array.isFloat {
        parts.append(NumpyRows.Part(ShardColumn.rewards.rawValue, array, .steps))
      } else if array.shape[0] == count, isColumnName(name) {
        parts.append(NumpyRows.Part("extra/" + name, array, .states))
      } else {
        notes.lost.append("'\(shown(name))', an array of shape \(array.shape)")
      }
    }
    notes.computed += archive.conversions
    for (name, reason) in archive.others { notes.lost.append("'\(name)', \(reason)") }
    return NumpyRows(parts, rows: long.map { [$0] }, hasLastRows: true, notes: notes)
  }
}

/// The arrays of stable-baselines3's `HerReplayBuffer`, saved with `numpy.savez`.
///
///     observations_observation, _achieved_goal, _desired_goal        [N, 1, …]
///     next_observations_observation, _achieved_goal, _desired_goal   [N, 1, …]
///     actions [N, 1, A]   rewards [N, 1]   dones [N, 1]   timeouts [N, 1]
///     ep_start, ep_length [N, 1]      optional: where a row's episode begins, and its steps
///
/// Between the two words there may be `_`, `/` or `.`; the second axis is of environments side by
/// side, and may be absent. Rows of which `ep_length` is 0 are of no whole episode and are left
/// out; an episode may go round the end of the buffer. Without it an episode ends at `dones`. Read
/// only.
///
/// Source: stable-baselines3 2.7, `stable_baselines3/her/her_replay_buffer.py` and
/// `common/buffers.py`.
struct HindsightBuffer: DatasetFormat {
  let name = "sb3-her-npz"
  let summary = "stable-baselines3's HER buffer as arrays in an .npz; read only"

  func recognizes(_ url: URL) -> Bool {
    let names = NumpyArchive.names(in: url)
    return names.contains("actions.npy")
      && HindsightBuffer.separators.contains {
        names.contains("observations\($0)achieved_goal.npy")
          && names.contains("next_observations\($0)achieved_goal.npy")
      }
  }

  func isMeant(by output: URL) -> Bool { false }

  let isReadOnly = true

  private static let separators = ["_", "/", "."]

  func open(_ url: URL, _ options: FormatOptions) throws(FileError) -> any TrajectorySource {
    let names = NumpyArchive.names(in: url)
    let mark =
      HindsightBuffer.separators.first { names.contains("observations\($0)achieved_goal.npy") }
      ?? "_"
    let keys = ["observation", "achieved_goal", "desired_goal"]
    let states = keys.map { "observations\(mark)\($0)" }
    let next = keys.map { "next_observations\(mark)\($0)" }
    let known =
      states + next + ["actions", "rewards", "dones", "timeouts", "ep_start", "ep_length"]
    let archive = try NumpyArchive(url, needed: Set(known), options)
    var notes = ConversionNotes()
    let actions = try archive.array("actions")
    let leading = try archive.array(states[0]).shape.count == 3 ? 2 : 1
    let axes = Array(actions.shape.prefix(leading))
    guard axes.count == leading else {
      throw .malformed(
        url.path, rule: "'actions' must have \(leading + 1) axes", found: "\(actions.shape)")
    }
    for name in states + next + ["actions"] {
      let array = try archive.array(name)
      try array.check(shape: axes.map { Int?($0) } + [nil], "\(axes + [0]) with any last axis")
      if name != "actions" { try array.checkIsFloat() }
    }
    for (name, nextName) in zip(states, next) {
      let (now, after) = (try archive.array(name), try archive.array(nextName))
      guard now.shape == after.shape, now.type == after.type else {
        throw .malformed(
          url.path, rule: "'\(after.name)' must be \(now.type.rawValue) of shape \(now.shape)",
          found: "\(after.type.rawValue) of \(after.shape)")
      }
    }
    let count = axes.reduce(1, *)
    let dones = try archive.array("dones").flags(count)
    let timeouts = try archive["timeouts"]?.flags(count)
    let rows = try episodes(archive, dones, axes, url, &notes)
    let ends = rows.map { $0[$0.count - 1].upperBound - 1 }
    let flags: [ShardColumn: [UInt8]] = [
      .terminated: ends.map { dones[$0] && !(timeouts?[$0] ?? false) ? 1 : 0 },
      .truncated: ends.map { timeouts?[$0] ?? !dones[$0] ? 1 : 0 },
    ]
    if timeouts == nil {
      notes.assumed.append(
        "an episode whose last `dones` is 1 ended by itself, as the file has no timeouts")
    }
    var parts = [NumpyRows.Part(ShardColumn.actions.rawValue, actions, .steps, leading: leading)]
    for (column, place) in [(ShardColumn.observations, 0), (.achievedGoals, 1)] {
      parts.append(
        NumpyRows.Part(
          column.rawValue, try archive.array(states[place]), .states,
          next: try archive.array(next[place]), leading: leading))
      let others = NumpyRows.otherNext(
        try archive.array(states[place]), try archive.array(next[place]), rows, leading: leading)
      if others > 0 {
        notes.lost.append(
          "\(next[place]) inside episodes where they are not the next row's, in \(others) rows")
      }
    }
    let goals = try archive.array(states[2])
    let isConstant = NumpyRows.areConstant(goals, rows, leading: leading)
    parts.append(
      NumpyRows.Part(
        ShardColumn.desiredGoals.rawValue, goals, isConstant ? .firsts : .states,
        next: isConstant ? nil : try archive.array(next[2]), leading: leading))
    let leftover =
      isConstant
      ? NumpyRows.otherRows(goals, try archive.array(next[2]), rows, leading: leading) : 0
    if leftover > 0 {
      notes.lost.append("\(next[2]) that are not the step's goal, in \(leftover) rows")
    }
    if let rewards = archive["rewards"] {
      if rewards.isColumn(of: count, leading: leading), rewards.isFloat {
        parts.append(
          NumpyRows.Part(ShardColumn.rewards.rawValue, rewards, .steps, leading: leading))
      } else {
        notes.lost.append("'rewards', \(rewards.type.rawValue) of shape \(rewards.shape)")
      }
    }
    for (name, array) in archive.arrays where !known.contains(name) {
      if Array(array.shape.prefix(leading)) == axes, isColumnName(name) {
        parts.append(NumpyRows.Part("extra/" + name, array, .steps, leading: leading))
      } else {
        notes.lost.append("'\(shown(name))', an array of shape \(array.shape)")
      }
    }
    notes.computed += archive.conversions
    for (name, reason) in archive.others { notes.lost.append("'\(name)', \(reason)") }
    return NumpyRows(parts, rows: rows, hasLastRows: false, flags: flags, notes: notes)
  }

  /// The rows of each whole episode; environments stand side by side in rows of one step.
  private func episodes(
    _ archive: NumpyArchive, _ dones: [Bool], _ axes: [Int], _ url: URL,
    _ notes: inout ConversionNotes
  ) throws(FileError) -> [NumpyRows.Rows] {
    let (steps, worlds) = (axes[0], axes.count > 1 ? axes[1] : 1)
    var episodes: [NumpyRows.Rows] = []
    func row(_ step: Int, _ world: Int) -> Int { step % steps * worlds + world }
    func add(_ start: Int, _ length: Int, _ world: Int) {
      var rows: NumpyRows.Rows = []
      for step in start..<(start + length) {
        let place = row(step, world)
        if let last = rows.last, last.upperBound == place {
          rows[rows.count - 1] = last.lowerBound..<(place + 1)
        } else {
          rows.append(place..<(place + 1))
        }
      }
      episodes.append(rows)
    }
    if let lengths = try archive["ep_length"]?.flat(steps * worlds),
      let starts = try archive["ep_start"]?.flat(steps * worlds)
    {
      var used = 0
      for world in 0..<worlds {
        for step in 0..<steps where starts[row(step, world)] == step {
          let length = lengths[row(step, world)]
          guard length > 0, length <= steps else { continue }
          add(step, length, world)
          used += length
        }
      }
      if used < steps * worlds {
        notes.lost.append(
          "\(steps * worlds - used) of \(steps * worlds) rows of all arrays, which ep_length says are of no "
            + "whole episode")
      }
    } else {
      for world in 0..<worlds {
        var start = 0
        for step in 0..<steps where dones[row(step, world)] || step == steps - 1 {
          add(start, step + 1 - start, world)
          start = step + 1
        }
      }
      notes.assumed.append(
        "episodes end at dones and with the arrays, as the file has no ep_start and ep_length")
    }
    guard !episodes.isEmpty else {
      throw .cannotConvert(url.path, reason: "no whole episode is in it, as ep_length says")
    }
    return episodes
  }
}

extension NumpyArray {
  /// Whether its elements are floats.
  var isFloat: Bool { type == .float32 || type == .float64 }

  /// Whether it has one number for each of `count` rows.
  func isColumn(of count: Int, leading: Int = 1) -> Bool {
    shape.count >= leading && shape.prefix(leading).reduce(1, *) == count
      && shape.dropFirst(leading).allSatisfy { $0 == 1 }
  }

  /// Throws unless it has rows of floats that are no pictures.
  func checkIsVectors() throws(FileError) {
    if shape.count > 2 {
      throw .cannotConvert(
        path,
        reason:
          "its observations '\(name)' are pictures of shape \(shape.dropFirst()), which no learner here reads"
      )
    }
    try check(shape: [nil, nil], "[N, O]")
    try checkIsFloat()
  }

  /// Throws unless it has an action for each of `count` rows: floats, or one integer.
  func checkAreActions(_ count: Int) throws(FileError) {
    if isFloat { return try check(shape: [count, nil], "[\(count), A]") }
    guard isColumn(of: count) else {
      throw .malformed(
        path, rule: "'\(name)' of integers must have one for each of \(count) rows",
        found: "\(shape)")
    }
  }

  /// Its integers, one for each of `count` rows.
  func flat(_ count: Int) throws(FileError) -> [Int] {
    guard shape.reduce(1, *) == count else {
      throw .malformed(path, rule: "'\(name)' must have \(count) numbers", found: "\(shape)")
    }
    return rows(0..<shape[0], leading: 1, axis: .steps).integers()
  }

  /// Whether each of `count` numbers is another than 0.
  func flags(_ count: Int) throws(FileError) -> [Bool] { try flat(count).map { $0 != 0 } }
}
