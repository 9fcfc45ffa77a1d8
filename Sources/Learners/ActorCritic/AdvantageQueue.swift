/// The last advantages, and any percentile of them.
///
/// Every push updates counts by leading bits. So a percentile costs a walk over 512 counts, and one
/// pass over the queue for the few numbers that share 16 leading bits.
struct AdvantageQueue: Sendable {
  let capacity: Int
  private var values: [Float] = []
  private var start = 0  // the oldest, once full
  private var coarse = [Int32](repeating: 0, count: 256)  // by the first 8 bits of the key
  private var fine = [Int32](repeating: 0, count: 65_536)  // by the first 16 bits

  init(capacity: Int) {
    precondition(capacity > 0, "a queue holds at least one number, found \(capacity)")
    self.capacity = capacity
  }

  /// Numbers held now.
  var count: Int { values.count }

  /// The numbers, from the oldest to the newest.
  var contents: [Float] { Array(values[start...]) + Array(values[..<start]) }

  /// Appends numbers; the oldest leave a full queue.
  mutating func push(_ new: [Float]) {
    for value in new {
      if values.count < capacity {
        values.append(value)
      } else {
        tally(values[start], -1)
        values[start] = value
        start = (start + 1) % capacity
      }
      tally(value, 1)
    }
  }

  /// The percentile `p` in 0...100, between two neighbours by linear interpolation.
  ///
  ///     h = (n − 1) p / 100,   x₍⌊h⌋₎ + (h − ⌊h⌋)(x₍⌊h⌋+1₎ − x₍⌊h⌋₎)
  ///
  /// over the sorted numbers x₍₀₎ ≤ ... ≤ x₍ₙ₋₁₎, as `numpy.percentile` does by default.
  func percentile(_ p: Double) -> Double {
    precondition(!values.isEmpty && 0...100 ~= p, "a percentile of a number at least, found \(p)")
    let place = Double(count - 1) * p / 100
    let below = Int(place)
    let low = Double(ranked(below))
    if place == Double(below) { return low }
    return low + (place - Double(below)) * (Double(ranked(below + 1)) - low)
  }

  /// The number of a rank, counted from 0 for the smallest.
  private func ranked(_ rank: Int) -> Float {
    var rest = Int32(rank)
    var group = 0
    while group < 255, coarse[group] <= rest {
      rest -= coarse[group]
      group += 1
    }
    var bin = group << 8
    while bin < group << 8 | 255, fine[bin] <= rest {
      rest -= fine[bin]
      bin += 1
    }
    let wanted = UInt32(bin)
    var members: [Float] = []
    members.reserveCapacity(Int(fine[bin]))
    values.withUnsafeBufferPointer { values in
      for value in values where AdvantageQueue.key(value) >> 16 == wanted { members.append(value) }
    }
    members.sort { AdvantageQueue.key($0) < AdvantageQueue.key($1) }
    return members[Int(rest)]
  }

  private mutating func tally(_ value: Float, _ change: Int32) {
    let key = AdvantageQueue.key(value)
    coarse[Int(key >> 24)] += change
    fine[Int(key >> 16)] += change
  }

  /// A whole number that orders as the value does; those that are not a number come at the ends.
  @inline(__always)
  private static func key(_ value: Float) -> UInt32 {
    let bits = value.bitPattern
    return bits & 0x8000_0000 == 0 ? bits | 0x8000_0000 : ~bits
  }
}
