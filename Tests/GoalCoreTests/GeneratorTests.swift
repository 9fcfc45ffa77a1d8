import Foundation
import TestSupport
import Testing

@testable import GoalCore

/// The generators beside numpy's own, live and to the bit.
struct GeneratorTests {
  struct Question: Encodable {
    let seeds: [UInt64]
    let keys: [[String]]
    let counters: [[String]]
    let ranges: [[Int]]
    let normals: Int
  }

  struct Answer: Decodable {
    let sequences: [[String]]
    let words: [[String]]
    let uniforms: [[Double]]
    let philox: [[String]]
    let mixed: [[String]]
    let normals: [[Double]]
  }

  @Test func drawsAreNumpys() throws {
    let seeds: [UInt64] = [
      0, 1, 42, 4_294_967_295, 4_294_967_296, Seeds.world(.evaluate, seed: 77, episode: 13),
      Seeds.world(.online, seed: Seeds.limit - 1, episode: (1 << 32) - 1), .max,
    ]
    let keys: [(UInt64, UInt64)] = [(0, 0), (1, 2), (.max, 7)]
    let counters: [(UInt64, UInt64)] = [(0, 5), (0, 0), (0, .max)]
    // Of every width that numpy treats apart, and one whose method rejects every other draw.
    let ranges = [
      (0, 4), (3, 4), (-5, 1000), (0, 1 << 32), (0, (1 << 31) + 1), (-7, 1 << 40),
      (0, (1 << 62) + 1),
      (.min, .max),
    ]
    let question = Question(
      seeds: seeds, keys: keys.map { ["\($0.0)", "\($0.1)"] },
      counters: counters.map { ["\($0.0)", "\($0.1)"] },
      ranges: ranges.map { [$0.0, $0.1] }, normals: 10_000)
    let answer = try JSONDecoder().decode(
      Answer.self,
      from: try PythonReference.run("numpy_reference.py", input: JSONEncoder().encode(question)))

    for (index, seed) in seeds.enumerated() {
      #expect(NumpyGenerator.seedSequence(seed).map { "\($0)" } == answer.sequences[index])
      var generator = NumpyGenerator(seed: seed)
      #expect((0..<8).map { _ in "\(generator.next())" } == answer.words[index])
      #expect((0..<8).map { _ in generator.uniform(-0.15, 0.15) } == answer.uniforms[index])
    }
    var tails = 0
    for (index, seed) in seeds.enumerated() {
      var generator = NumpyGenerator(seed: seed)
      let mixed = ranges.flatMap { low, high in
        let whole = "\(generator.integer(low, high))"
        let letter = generator.choice(["a", "b", "c", "d"])
        let third = (0..<3).map { _ in generator.normal() * 0.005 }[2]
        return [whole, letter, "\(third)", "\(generator.unit())"]
      }
      // Both languages print the shortest digits that name a number, in forms of their own.
      #expect(mixed.count == answer.mixed[index].count)
      for (mine, theirs) in zip(mixed, answer.mixed[index]) {
        #expect(mine == theirs || Double(mine) == Double(theirs))
      }
      generator = NumpyGenerator(seed: seed)
      #expect((0..<10_000).map { _ in generator.normal() } == answer.normals[index])
      tails += answer.normals[index].count { abs($0) > 3.654153 }
    }
    #expect(tails > 5)
    for (index, key) in keys.enumerated() {
      var philox = Philox(key: key, stream: (counters[index].1, 0, 0))
      #expect((0..<12).map { _ in "\(philox.next())" } == answer.philox[index])
    }
  }

  /// numpy 2.4's `default_rng(seed).integers(0, count)`, twice, where the first draw's low word is
  /// just the threshold below which draws are thrown away.
  @Test(arguments: [
    (UInt64(0), 2_281_701_376, [1_940_870_466, 1_453_356_357]),
    (1, 2_164_260_864, [1_024_103_780, 311_999_007]), (3, 486_539_264, [394_828_822, 41_671_682]),
  ])
  func aDrawOnTheThresholdIsKept(seed: UInt64, count: Int, expected: [Int]) {
    var generator = NumpyGenerator(seed: seed)
    #expect([generator.integer(0, count), generator.integer(0, count)] == expected)
  }

  @Test func xoshiroIsTheAuthors() {
    // The first words of the authors' C code from SplitMix64's state of seed 0, worked out by hand
    // from the published recurrences in Python's whole numbers.
    var generator = Xoshiro256(seed: 0)
    let first: [UInt64] = [
      0x99ec_5f36_cb75_f2b4, 0xbf6e_1f78_4956_452a, 0x1a5f_849d_4933_e6e0, 0x6aa5_94f1_262d_2d2c,
    ]
    #expect((0..<4).map { _ in generator.next() } == first)
  }

  @Test func normalDrawsAreNormal() {
    var generator = Philox(seed: 3, purpose: 1, index: 4)
    let draws = (0..<100_000).map { _ in generator.normal() }
    let mean = draws.reduce(0, +) / 100_000
    let variance = draws.reduce(0) { $0 + $1 * $1 } / 100_000
    // Four standard errors: 4/√n and 4·√(2/n).
    #expect(abs(mean) < 0.0127)
    #expect(abs(variance - 1) < 0.0179)
    #expect(abs(Double(draws.count { abs($0) < 1 }) / 100_000 - 0.6827) < 0.006)
  }

  @Test func seedsNeverMeet() {
    var seen = Set<UInt64>()
    for purpose in [SeedPurpose.collect, .evaluate, .online] {
      for seed in [0, 1, Seeds.limit - 1] {
        for episode in [0, 1, 499, (1 << 32) - 1] as [Int64] {
          seen.insert(Seeds.world(purpose, seed: seed, episode: episode))
        }
      }
    }
    #expect(seen.count == 36)
  }

  @Test(arguments: [0, 0x1p-54, 0.2, 1 / 3, 0.8, 1 - 0x1p-53, 1] as [Double])
  func probabilitiesAreComparedAsWholeNumbers(probability: Double) {
    let limit = Xoshiro256.limit(probability)
    for whole in [limit, limit &- 1] where whole < 1 << 53 {
      #expect((Double(whole) * 0x1p-53 < probability) == (whole < limit))
    }
    var (one, other) = (Xoshiro256(seed: 8), Xoshiro256(seed: 8))
    for _ in 0..<1000 { #expect((one.unit() < probability) == (other.wholeUnit() < limit)) }
  }
}
