import GoalCore

/// Which episodes a mixture takes: functions of counts, shares and a seed.
enum MixtureSelection {
  /// The purpose of a stream of random numbers, which is part of its key.
  enum Stream: UInt64 {
    /// Which episodes are taken.
    case draw = 0x4d49_5844  // "MIXD"
    /// Which of those are for training.
    case split = 0x4d49_5853  // "MIXS"
  }

  /// `count` of the numbers 0..<total, ascending, drawn without replacement.
  ///
  /// The first `count` places of a Fisher–Yates shuffle by xoshiro256**, seeded by the first number
  /// of Philox keyed by the seed, the stream and `number`.
  static func draw(
    _ count: Int, of total: Int, seed: UInt64, stream: Stream, number: Int
  ) -> [Int] {
    precondition(0...total ~= count, "\(count) of \(total) cannot be drawn")
    var key = Philox(seed: seed, purpose: stream.rawValue, index: UInt64(number))
    var generator = Xoshiro256(seed: key.next())
    var all = Array(0..<total)
    for place in 0..<count {
      all.swapAt(place, place + generator.below(total - place))
    }
    return all[..<count].sorted()
  }

  /// Whole numbers in proportion to `shares`, which add up to `total`: rounded down, and one more
  /// for those with the largest remainders, the first if they are equal.
  static func apportion(_ total: Int, shares: [Double]) -> [Int] {
    let sum = shares.reduce(0, +)
    precondition(sum > 0 && shares.allSatisfy { $0 >= 0 }, "shares are \(shares)")
    let quotas = shares.map { Double(total) * ($0 / sum) }
    var counts = quotas.map { Int($0) }
    let order = quotas.indices.sorted {
      let (a, b) = (quotas[$0] - quotas[$0].rounded(.down), quotas[$1] - quotas[$1].rounded(.down))
      return a == b ? $0 < $1 : a > b
    }
    for place in order.prefix(total - counts.reduce(0, +)) { counts[place] += 1 }
    return counts
  }

  /// The maximum number of episodes that can be taken in proportion to `shares` of datasets of
  /// these sizes.
  static func most(_ sizes: [Int], shares: [Double]) -> Int {
    let sum = shares.reduce(0, +)
    let most = zip(sizes, shares).map { Double($0) * sum / $1 }.min() ?? 0
    return Int((most * (1 + 1e-12)).rounded(.down))
  }

  /// Several rounds through 0..<total, and a drawn part of one: `count` numbers in all.
  static func rounds(_ count: Int, of total: Int, seed: UInt64, number: Int) -> [[Int]] {
    let whole = Array(repeating: Array(0..<total), count: count / total)
    let rest = count % total
    guard rest > 0 else { return whole }
    return whole + [draw(rest, of: total, seed: seed, stream: .draw, number: number)]
  }
}
