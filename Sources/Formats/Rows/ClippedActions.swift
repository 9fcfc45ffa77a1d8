import GoalCore
import HDF5
public import Storage
public import Support

/// A source's episodes with each number of an action brought into its range; what is not finite
/// stays.
struct ClippedActions: TrajectorySource {
  let notes: ConversionNotes
  private let source: any TrajectorySource
  private let range: [(low: Float, high: Float)]

  var lengths: [Int] { source.lengths }
  var columns: [String: SourceColumn] { source.columns }
  var environment: String? { source.environment }
  var actionSpace: ActionSpace? { source.actionSpace }
  var checks: [SourceCheck] { source.checks }

  /// Clips to a range for each number of an action, which are floats.
  init(
    _ source: any TrajectorySource, to range: [(low: Float, high: Float)],
    notes added: ConversionNotes
  ) {
    self.source = source
    self.range = range
    var notes = source.notes
    notes.merge(added)
    self.notes = notes
  }

  func blocks(byteLimit: Int) -> [Range<Int>] { source.blocks(byteLimit: byteLimit) }

  func table(
    of episodes: Range<Int>, only columns: Set<String>?
  ) throws(FileError) -> TrajectoryTable {
    var table = try source.table(of: episodes, only: columns)
    guard let actions = table[.actions] else { return table }
    table[.actions] =
      actions.type == .float64 ? clipped(actions, Double.self) : clipped(actions, Float.self)
    return table
  }

  private func clipped<Number: BinaryFloatingPoint & BitwiseCopyable>(
    _ actions: TableColumn, _: Number.Type
  ) -> TableColumn {
    let size = MemoryLayout<Number>.size
    return TableColumn(
      actions.type, rowShape: actions.rowShape, axis: actions.axis, rows: actions.rows
    ) { target in
      actions.withBytes { bytes in
        for place in 0..<(bytes.count / size) {
          let value = bytes.loadUnaligned(fromByteOffset: place * size, as: Number.self)
          let (low, high) = range[place % range.count]
          let kept = value.isFinite ? min(max(value, Number(low)), Number(high)) : value
          target.storeBytes(of: kept, toByteOffset: place * size, as: Number.self)
        }
      }
    }
  }
}

extension TrajectorySource {
  /// The episodes with each number of an action, which are floats, brought into a space's range.
  ///
  /// It says how many actions lay outside, and of the first where and what.
  public func clippingActions(
    to range: [(low: Float, high: Float)], of whose: String
  ) throws(FileError) -> any TrajectorySource {
    guard let found = try SourceNumbers.outside(range, self) else { return self }
    var notes = ConversionNotes()
    notes.computed.append(
      "\(found.count) of \(steps) actions, which lay outside of \(whose), are clipped to it, as --clip-actions "
        + "says, first in episode \(found.episode), step \(found.step): \(found.value)")
    return ClippedActions(self, to: range, notes: notes)
  }
}
