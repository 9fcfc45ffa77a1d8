import Glibc

/// Philox4x64-10: a counter-based generator, in which a draw is a function of key and position.
///
/// Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011,
/// doi:10.1145/2063384.2063405. A stream has a key of two words and a counter of four, of which the
/// lowest counts blocks.
public struct Philox: RandomNumberGenerator, Sendable {
  private let key: (UInt64, UInt64)
  private let upper: (UInt64, UInt64, UInt64)
  private var block: UInt64 = 0
  private var buffer: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
  private var used = 4

  /// The stream of a key and of the upper three words of the counter.
  public init(key: (UInt64, UInt64), stream: (UInt64, UInt64, UInt64) = (0, 0, 0)) {
    self.key = key
    upper = stream
  }

  /// The stream of a run's seed, a purpose (any number that tells streams apart) and an index.
  public init(seed: UInt64, purpose: UInt64, index: UInt64) {
    self.init(key: (seed, purpose), stream: (index, 0, 0))
  }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    if used == 4 {
      buffer = Philox.rounds((block, upper.0, upper.1, upper.2), key: key)
      block &+= 1
      used = 0
    }
    defer { used += 1 }
    switch used {
    case 0: return buffer.0
    case 1: return buffer.1
    case 2: return buffer.2
    default: return buffer.3
    }
  }

  /// A number in [0, 1), with 53 random bits.
  public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A number in [low, high).
  public mutating func uniform(_ low: Double, _ high: Double) -> Double {
    low + (high - low) * unit()
  }

  /// A draw of the standard normal distribution, by Box and Müller's formula, one of each pair.
  public mutating func normal() -> Double {
    let radius = (-2 * log(1 - unit())).squareRoot()
    return radius * cos(2 * .pi * unit())
  }

  /// Ten rounds of the bijection on one block.
  static func rounds(
    _ counter: (UInt64, UInt64, UInt64, UInt64), key: (UInt64, UInt64)
  ) -> (UInt64, UInt64, UInt64, UInt64) {
    var (a, b, c, d) = counter
    var (k0, k1) = key
    for _ in 0..<10 {
      let low = a.multipliedFullWidth(by: 0xD2E7_470E_E14C_6C93)
      let high = c.multipliedFullWidth(by: 0xCA5A_8263_9512_1157)
      (a, b, c, d) = (high.high ^ b ^ k0, high.low, low.high ^ d ^ k1, low.low)
      k0 &+= 0x9E37_79B9_7F4A_7C15
      k1 &+= 0xBB67_AE85_84CA_A73B
    }
    return (a, b, c, d)
  }
}
