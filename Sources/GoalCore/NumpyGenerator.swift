/// numpy's `default_rng(seed)`: a SeedSequence that seeds a PCG64 (XSL-RR 128/64).
///
/// Worlds draw from it, so that `env.reset(seed=s)` in Python and `reset(seed: s)` here give the same
/// state and goal. Source: the algorithms of numpy 2.x, `numpy/random/bit_generator.pyx` (SeedSequence,
/// M. O'Neill's seed_seq_fe) and `pcg64.h` (M. O'Neill, "PCG", HMC-CS-2014-0905), checked bit for bit
/// against numpy in the tests. Only integers from 0 to 2⁶⁴ − 1 are taken as seeds.
public struct NumpyGenerator: Sendable {
  private var stateHigh: UInt64 = 0
  private var stateLow: UInt64 = 0
  private let incrementHigh: UInt64
  private let incrementLow: UInt64

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
