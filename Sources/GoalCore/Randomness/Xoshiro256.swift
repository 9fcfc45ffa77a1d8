/// xoshiro256**: a fast generator with 256 bits of state, for samplers.
///
/// Blackman and Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 2021,
/// arXiv:1805.01407. The state is filled by SplitMix64 from one word, as its authors advise.
public struct Xoshiro256: RandomNumberGenerator, Sendable {
  @usableFromInline var a: UInt64
  @usableFromInline var b: UInt64
  @usableFromInline var c: UInt64
  @usableFromInline var d: UInt64

  /// The generator of a seed; every seed gives a valid state.
  public init(seed: UInt64) {
    var state = seed
    func split() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
    a = split()
    b = split()
    c = split()
    d = split()
  }

  /// The next 64 bits.
  @inlinable @inline(__always)
  public mutating func next() -> UInt64 {
    let product = b &* 5
    let result = ((product << 7) | (product >> 57)) &* 9
    let shifted = b << 17
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = (d << 45) | (d >> 19)
    return result
  }

  /// A whole number in 0..<count, by multiplication; the bias is below count / 2⁶⁴.
  @inlinable @inline(__always)
  public mutating func below(_ count: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(count)).high)
  }

  /// A number in [0, 1), with 53 random bits.
  @inlinable @inline(__always)
  public mutating func unit() -> Double { Double(wholeUnit()) * 0x1p-53 }

  /// `unit() · 2⁵³`, a whole number: `wholeUnit() < limit(p)` is `unit() < p`, and faster.
  @inlinable @inline(__always)
  public mutating func wholeUnit() -> UInt64 { next() >> 11 }

  /// The least whole number that is not below `probability · 2⁵³`.
  @inlinable
  public static func limit(_ probability: Double) -> UInt64 {
    UInt64((probability * 0x1p53).rounded(.up))
  }
}
