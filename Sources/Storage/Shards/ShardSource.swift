import GoalCore

/// Trajectories as what a shard is filled from.
struct ShardSource: ShardContents {
  let trajectories: [Trajectory]
  let spec: GoalSpec
  let steps: Int
  /// Numbers in a simulator state, 0 if none are kept.
  let stateLength: Int
  /// The shape of an image, empty if none are kept.
  let imageShape: [Int]
  /// Whether actions have log-probabilities.
  let isCategorical: Bool
  /// Whether each state has a desired goal of its own.
  let goalsMove: Bool

  /// Traps if an episode's columns do not have the lengths that its specification gives.
  init(_ trajectories: [Trajectory], spec: GoalSpec, imageShape: [Int] = []) {
    self.trajectories = trajectories
    self.spec = spec
    self.imageShape = imageShape
    steps = trajectories.indices.reduce(0) { $0 + trajectories[$1].length }
    stateLength = trajectories.first.map { $0.states.count / ($0.length + 1) } ?? 0
    isCategorical = trajectories.first?.logProbabilities.isEmpty == false
    goalsMove = trajectories.first.map { $0.desiredGoal.count > spec.goal } ?? false
    precondition(!trajectories.isEmpty, "a shard has at least one episode")
    for trajectory in trajectories { check(trajectory) }
  }

  /// The columns that the shard gets, in the order in which they lie in the file.
  var columns: [ShardColumn] {
    ShardColumn.present(
      states: stateLength > 0, logProbabilities: isCategorical, images: !imageShape.isEmpty)
  }

  func shape(of column: ShardColumn) -> [Int] {
    column.shape(
      for: spec, steps: steps, episodes: trajectories.count, stateLength: stateLength,
      imageShape: imageShape, goalsMove: goalsMove)
  }

  var spots: [ShardSpot] {
    columns.map {
      ShardSpot(path: $0.rawValue, type: $0.types(for: spec)[0], shape: shape(of: $0))
    }
  }

  func feed(_ path: String, to sink: BufferedSink) {
    guard let column = ShardColumn(rawValue: path) else {
      preconditionFailure("trajectories have no '\(path)'")
    }
    feed(column, to: sink)
  }

  /// Gives the bytes of a column to `sink`.
  ///
  /// Episodes are named by their place: a copy of one would count references to all its columns, on
  /// two threads at once.
  func feed(_ column: ShardColumn, to sink: BufferedSink) {
    let all = trajectories.indices
    switch column {
    case .observations: for e in all { sink.append(trajectories[e].observations) }
    case .actions:
      for e in all {
        switch trajectories[e].actions {
        case .continuous(let values): sink.append(values)
        case .discrete(let numbers): sink.append(numbers)
        }
      }
    case .episodeLengths: sink.append(all.map { Int32(trajectories[$0].length) })
    case .episodeIndices: sink.append(all.map { trajectories[$0].index })
    case .achievedGoals: for e in all { sink.append(trajectories[e].achievedGoals) }
    case .desiredGoals: for e in all { sink.append(trajectories[e].desiredGoal) }
    case .rewards: for e in all { sink.append(trajectories[e].rewards) }
    case .successes:
      for e in all { sink.append(trajectories[e].successes.map { $0 ? UInt8(1) : 0 }) }
    case .seeds: sink.append(all.map { trajectories[$0].seed })
    case .terminated: sink.append(all.map { trajectories[$0].terminated ? UInt8(1) : 0 })
    case .truncated: sink.append(all.map { trajectories[$0].truncated ? UInt8(1) : 0 })
    case .sources: for e in all { sink.append(trajectories[e].sources.map(\.rawValue)) }
    case .logProbabilities: for e in all { sink.append(trajectories[e].logProbabilities) }
    case .states: for e in all { sink.append(trajectories[e].states) }
    case .images: for e in all { sink.append(trajectories[e].images) }
    }
  }

  private func check(_ trajectory: Trajectory) {
    let t = trajectory.length
    func expect(_ name: String, _ found: Int, _ expected: Int) {
      precondition(
        found == expected,
        "episode \(trajectory.index) of \(t) steps must have \(expected) \(name), found \(found)")
    }
    precondition(t > 0, "episode \(trajectory.index) must have a step")
    expect("numbers in observations", trajectory.observations.count, (t + 1) * spec.observation)
    expect("numbers in achieved goals", trajectory.achievedGoals.count, (t + 1) * spec.goal)
    expect(
      "numbers in desired goals", trajectory.desiredGoal.count, (goalsMove ? t + 1 : 1) * spec.goal)
    expect("rewards", trajectory.rewards.count, t)
    expect("successes", trajectory.successes.count, t)
    expect("sources", trajectory.sources.count, t)
    expect("log-probabilities", trajectory.logProbabilities.count, isCategorical ? t : 0)
    expect("numbers in states", trajectory.states.count, (t + 1) * stateLength)
    let imageBytes = imageShape.isEmpty ? 0 : imageShape.reduce(1, *)
    expect("bytes in images", trajectory.images.count, (t + 1) * imageBytes)
    switch (trajectory.actions, spec.action) {
    case (.continuous(let values), .continuous(let low, _)):
      expect("numbers in actions", values.count, t * low.count)
    case (.discrete(let numbers), .discrete): expect("actions", numbers.count, t)
    default:
      preconditionFailure("episode \(trajectory.index) has actions of another kind than its task")
    }
  }
}

/// Gathers small runs of bytes into pieces of a megabyte, which stay in the cache.
final class BufferedSink {
  private let buffer: UnsafeMutableRawBufferPointer
  private var used = 0
  private let consume: (UnsafeRawBufferPointer) -> Void

  init(consume: @escaping (UnsafeRawBufferPointer) -> Void) {
    buffer = .allocate(byteCount: 1 << 20, alignment: 64)
    self.consume = consume
  }

  deinit { buffer.deallocate() }

  func append<Element: BitwiseCopyable>(_ elements: [Element]) {
    elements.withUnsafeBytes { append($0) }
  }

  func append(_ bytes: UnsafeRawBufferPointer) {
    if bytes.count > buffer.count - used {
      flush()
      if bytes.count >= buffer.count { return consume(bytes) }
    }
    UnsafeMutableRawBufferPointer(rebasing: buffer[used...]).copyMemory(from: bytes)
    used += bytes.count
  }

  /// Passes on what is left.
  func flush() {
    if used > 0 { consume(UnsafeRawBufferPointer(rebasing: buffer[..<used])) }
    used = 0
  }
}
