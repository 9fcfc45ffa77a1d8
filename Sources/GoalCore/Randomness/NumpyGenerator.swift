import Glibc

/// numpy's `default_rng(seed)`: a SeedSequence that seeds a PCG64 (XSL-RR 128/64).
///
/// Worlds draw from it, so that `env.reset(seed=s)` in Python and `reset(seed: s)` here give the
/// same state and goal. Source: the algorithms of numpy 2.x, `numpy/random/bit_generator.pyx`
/// (SeedSequence, M. O'Neill's seed_seq_fe) and `pcg64.h` (M. O'Neill, "PCG", HMC-CS-2014-0905),
/// checked bit for bit against numpy in the tests. Only integers from 0 to 2⁶⁴ − 1 are taken as
/// seeds.
public struct NumpyGenerator: Sendable {
  private var stateHigh: UInt64 = 0
  private var stateLow: UInt64 = 0
  private let incrementHigh: UInt64
  private let incrementLow: UInt64
  private var half: UInt32?  // the upper half of a word of which the lower was drawn

  /// The generator of `numpy.random.default_rng(seed)`.
  public init(seed: UInt64) {
    let words = NumpyGenerator.seedSequence(seed)
    incrementHigh = words[2] << 1 | words[3] >> 63
    incrementLow = words[3] << 1 | 1
    step()
    add(words[0], words[1])
    step()
  }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    step()
    let mixed = stateHigh ^ stateLow
    let rotation = stateHigh >> 58
    return mixed >> rotation | mixed << ((64 &- rotation) & 63)
  }

  /// A number in [0, 1), as `Generator.random()`.
  public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A number in [low, high), as `Generator.uniform(low, high)`.
  public mutating func uniform(_ low: Double, _ high: Double) -> Double {
    low + (high - low) * unit()
  }

  /// A whole number of [low, high), as `Generator.integers(low, high)`; `high` must be over `low`.
  ///
  /// By Lemire's method ("Fast Random Integer Generation in an Interval", 2019), which numpy uses
  /// with words of 32 bits if the range allows.
  public mutating func integer(_ low: Int, _ high: Int) -> Int {
    precondition(low < high, "a range must not be empty, found \(low)..<\(high)")
    let largest = UInt64(bitPattern: Int64(high &- low &- 1))
    let drawn: UInt64
    switch largest {
    case 0: drawn = 0
    case UInt64(UInt32.max): drawn = UInt64(nextHalf())
    case ..<UInt64(UInt32.max):
      let count = UInt32(largest) + 1
      var product = nextHalf().multipliedFullWidth(by: count)
      if product.low < count {
        let threshold = (UInt32.max - UInt32(largest)) % count
        while product.low < threshold { product = nextHalf().multipliedFullWidth(by: count) }
      }
      drawn = UInt64(product.high)
    case .max: drawn = next()
    default:
      let count = largest + 1
      var product = next().multipliedFullWidth(by: count)
      if product.low < count {
        let threshold = (UInt64.max - largest) % count
        while product.low < threshold { product = next().multipliedFullWidth(by: count) }
      }
      drawn = product.high
    }
    return low &+ Int(truncatingIfNeeded: drawn)
  }

  /// One of the elements, as `Generator.choice(elements)`; there must be one.
  public mutating func choice<Element>(_ elements: [Element]) -> Element {
    elements[integer(0, elements.count)]
  }

  /// A number of the standard normal distribution, as `Generator.standard_normal()`.
  ///
  /// Times a scale and plus a mean it is `Generator.normal(mean, scale)`. By numpy's ziggurat
  /// (`Ziggurat`).
  public mutating func normal() -> Double {
    while true {
      let word = next()
      let strip = Int(word & 0xff)
      let isNegative = word & 0x100 != 0
      let place = word >> 9 & 0xf_ffff_ffff_ffff
      let size = Double(place) * Ziggurat.widths[strip]
      if place < Ziggurat.insides[strip] { return isNegative ? -size : size }
      if strip == 0 {
        // Marsaglia's method for the tail; its sign is another bit of the word.
        while true {
          let x = -Ziggurat.tailInverse * log1p(-unit())
          let y = -log1p(-unit())
          guard y + y > x * x else { continue }
          return place >> 8 & 1 == 1 ? -(Ziggurat.tail + x) : Ziggurat.tail + x
        }
      }
      let (above, below) = (Ziggurat.heights[strip - 1], Ziggurat.heights[strip])
      if (above - below) * unit() + below < exp(-0.5 * size * size) {
        return isNegative ? -size : size
      }
    }
  }

  /// The next 32 bits: the lower half of a word, then its upper half.
  private mutating func nextHalf() -> UInt32 {
    if let kept = half {
      half = nil
      return kept
    }
    let word = next()
    half = UInt32(word >> 32)
    return UInt32(truncatingIfNeeded: word)
  }

  /// `SeedSequence(entropy=seed).generate_state(4, uint64)`.
  static func seedSequence(_ seed: UInt64) -> [UInt64] {
    let low = UInt32(truncatingIfNeeded: seed)
    let high = UInt32(truncatingIfNeeded: seed >> 32)
    let entropy = high == 0 ? [low] : [low, high]

    var constant: UInt32 = 0x43b0_d7e5
    func hash(_ value: UInt32) -> UInt32 {
      var v = value ^ constant
      constant = constant &* 0x931e_8875
      v = v &* constant
      return v ^ v >> 16
    }
    func mix(_ x: UInt32, _ y: UInt32) -> UInt32 {
      let r = (x &* 0xca01_f9dd) &- (y &* 0x4973_f715)
      return r ^ r >> 16
    }
    var pool = (0..<4).map { hash($0 < entropy.count ? entropy[$0] : 0) }
    for source in 0..<4 {
      for target in 0..<4 where source != target {
        pool[target] = mix(pool[target], hash(pool[source]))
      }
    }

    var output: UInt32 = 0x8b51_f9dd
    let words = (0..<8).map { i in
      var v = pool[i % 4] ^ output
      output = output &* 0x58f3_8ded
      v = v &* output
      return UInt64(v ^ v >> 16)
    }
    return (0..<4).map { words[2 * $0] | words[2 * $0 + 1] << 32 }
  }

  /// state ← state · multiplier + increment, modulo 2¹²⁸.
  private mutating func step() {
    let multiplierHigh: UInt64 = 2_549_297_995_355_413_924
    let multiplierLow: UInt64 = 4_865_540_595_714_422_341
    let product = stateLow.multipliedFullWidth(by: multiplierLow)
    stateHigh = product.high &+ stateHigh &* multiplierLow &+ stateLow &* multiplierHigh
    stateLow = product.low
    add(incrementHigh, incrementLow)
  }

  private mutating func add(_ high: UInt64, _ low: UInt64) {
    let (sum, carried) = stateLow.addingReportingOverflow(low)
    stateLow = sum
    stateHigh = stateHigh &+ high &+ (carried ? 1 : 0)
  }
}
