import Foundation
import GoalCore
import Testing

@testable import Learners

struct WeightTests {
  @Test func relabellingIsDiscountedFromTheNextState() {
    let weights = WGCSL.relabelWeights(offsets: [0, 1, 10, 49], discount: 0.98)
    for (weight, offset) in zip(weights, [0.0, 1, 10, 49]) {
      #expect(abs(Double(weight) - pow(0.98, offset)) < 1e-6)
    }
    #expect(weights[0] == 1)
  }

  @Test func advantagesAreExponentiatedAndClipped() {
    let weights = WGCSL.exponentialWeights(advantages: [-100, -1, 0, 1, 2.5, 100], clip: 10)
    let expected: [Float] = [0, exp(-1), 1, exp(1), 10, 10]
    for (weight, value) in zip(weights, expected) { #expect(abs(weight - value) < 1e-6) }
  }

  @Test func theBestAdvantagesCountFully() {
    let weights = WGCSL.bestAdvantageWeights(
      advantages: [-1, 0.5, 0.4999, 2], threshold: 0.5, other: 0.05)
    #expect(weights == [0.05, 1, 0.05, 1])
  }

  @Test func thePercentileGrowsToItsLimit() throws {
    let learner = try WGCSL(task: PointWorld.task(), configuration: .init(), seed: 0)
    #expect(learner.bestAdvantagePercentile(update: 1) == 0.1)
    #expect(learner.bestAdvantagePercentile(update: 700) == 70)
    #expect(learner.bestAdvantagePercentile(update: 801) == 80)
  }

  /// `numpy.percentile(values, p)`, from sorted numbers.
  private func reference(_ values: [Float], _ p: Double) -> Double {
    let sorted = values.map(Double.init).sorted()
    let place = Double(sorted.count - 1) * p / 100
    let low = Int(place)
    if low + 1 >= sorted.count { return sorted[low] }
    return sorted[low] + (place - Double(low)) * (sorted[low + 1] - sorted[low])
  }

  @Test func percentilesAreThoseOfSortedNumbers() {
    var generator = Philox(seed: 1, purpose: 1, index: 1)
    var queue = AdvantageQueue(capacity: 500)
    var kept: [Float] = []
    for round in 0..<60 {
      let new = (0..<37).map { k -> Float in
        switch (round + k) % 5 {
        case 0: Float(generator.normal())
        case 1: Float(generator.normal() * 1e-6)
        case 2: 0
        case 3: Float(generator.uniform(-50, 50))
        default: 1.25
        }
      }
      queue.push(new)
      kept = Array((kept + new).suffix(500))
      #expect(queue.count == kept.count && queue.contents == kept)
      for p in [0, 0.15, 12.5, 50, 79.99, 80, 99.9, 100] {
        #expect(queue.percentile(p) == reference(kept, p), "percentile \(p) in round \(round)")
      }
    }
  }

  @Test func knownPercentiles() {
    var queue = AdvantageQueue(capacity: 10)
    queue.push([3])
    #expect(queue.percentile(70) == 3)
    queue.push([1, 2, 4])
    #expect(queue.percentile(50) == 2.5)  // numpy.percentile([3, 1, 2, 4], 50)
    #expect(queue.percentile(25) == 1.75)
    queue.push([-0.0, 0.0, -5])
    #expect(queue.percentile(0) == -5)
  }
}
