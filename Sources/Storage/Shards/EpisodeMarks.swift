public import GoalCore
import Support

/// The identity of an episode, wherever it lies: 64 bits of where it comes from, and 64 of
/// what it holds.
///
///     origin    of SHA-256(what decides its recipe's or its source's episodes; its number)
///     content   of SHA-256(its steps, its first and its last observation, its actions)
///
/// Two episodes with the same origin are one, through mixtures and splits. So are two with the same
/// content, through conversions too. Numbers are taken as a trainer reads them: floats of 4 bytes,
/// actions of 4 bytes. Among a million episodes two that differ have a mark in common with a
/// probability of some 10⁻⁷.
public struct EpisodeMarks: Hashable, Sendable {
  /// The mark of where it comes from.
  public let origin: UInt64
  /// The mark of what it holds.
  public let content: UInt64

  /// Makes marks that are known.
  public init(origin: UInt64, content: UInt64) {
    self.origin = origin
    self.content = content
  }

  /// The marks of an episode in memory; `origin` is `EpisodeOrigin.digest()` of where it comes
  /// from.
  public init(_ trajectory: Trajectory, origin: String, observation: Int) {
    let stream = DigestStream()
    stream.append(trajectory.length)
    trajectory.observations.withUnsafeBufferPointer { rows in
      stream.append(UnsafeRawBufferPointer(rebasing: rows.prefix(observation)))
      stream.append(UnsafeRawBufferPointer(rebasing: rows.suffix(observation)))
    }
    switch trajectory.actions {
    case .continuous(let values): values.withUnsafeBytes { stream.append($0) }
    case .discrete(let numbers): numbers.withUnsafeBytes { stream.append($0) }
    }
    self.init(
      origin: EpisodeMarks.mark(of: trajectory.index, origin: origin),
      content: stream.finishNumber())
  }

  /// The marks of all episodes of a shard, whose numbers are `numbers`, in order.
  public static func all(
    of columns: TrajectoryColumns, numbers: [Int64], origin: String, spec: GoalSpec
  ) -> [EpisodeMarks] {
    precondition(
      numbers.count == columns.lengths.count,
      "a number for each of \(columns.lengths.count) episodes, found \(numbers.count)")
    var marks: [EpisodeMarks] = []
    marks.reserveCapacity(numbers.count)
    let width = spec.observation
    var step = 0
    for (episode, length) in columns.lengths.enumerated() {
      let first = step + episode
      let stream = DigestStream()
      stream.append(length)
      for row in [first, first + length] {
        let numbers = columns.observations[(row * width)..<((row + 1) * width)]
        stream.append(UnsafeRawBufferPointer(rebasing: numbers))
      }
      switch columns.actions {
      case .continuous(let values):
        let width = spec.action.length
        stream.append(
          UnsafeRawBufferPointer(rebasing: values[(step * width)..<((step + length) * width)]))
      case .discrete(let values):
        stream.append(UnsafeRawBufferPointer(rebasing: values[step..<(step + length)]))
      }
      marks.append(
        EpisodeMarks(
          origin: mark(of: numbers[episode], origin: origin), content: stream.finishNumber()))
      step += length
    }
    return marks
  }

  private static func mark(of number: Int64, origin: String) -> UInt64 {
    let stream = DigestStream()
    Array(origin.utf8).withUnsafeBytes { stream.append($0) }
    stream.append(Int(number))
    return stream.finishNumber()
  }
}

extension UnsafeRawBufferPointer {
  /// The bytes of some numbers.
  fileprivate init<Element>(rebasing numbers: Slice<UnsafeBufferPointer<Element>>) {
    self.init(UnsafeBufferPointer(rebasing: numbers))
  }
}
