import Testing
import Torch

@testable import Learners

struct NormalizerTests {
  @Test func nothingSeenLeavesNumbersButForTheClips() {
    let normalizer = RunningNormalizer(length: 3, settings: NormalizerSettings())
    let rows = Tensor([1, -7, 300] as [Float], shape: [1, 3])
    normalizer.normalize(rows)
    #expect(rows.floats == [1, -5, 5])
  }

  @Test func statisticsAreTheFormulas() {
    var normalizer = RunningNormalizer(length: 3, settings: NormalizerSettings())
    // Observations [B, 2] and goals [B, 1].
    normalizer.update(observations: [1, 10, 3, 500], goals: [2, 2], rows: 2)
    normalizer.update(observations: [-4, 0], goals: [2], rows: 1)
    let columns: [[Double]] = [[1, 3, -4], [10, 200, 0], [2, 2, 2]]
    for (d, column) in columns.enumerated() {
      let n = 1 + Double(column.count)
      let mean = column.reduce(0, +) / n
      let variance = column.reduce(0) { $0 + $1 * $1 } / n - mean * mean
      #expect(abs(Double(normalizer.mean[d]) - mean) < 1e-5)
      #expect(abs(Double(normalizer.deviation[d]) - max(1e-8, variance).squareRoot()) < 1e-4)
    }
  }

  @Test func aConstantNumberIsDividedByEpsilonAtLeast() {
    var normalizer = RunningNormalizer(length: 1, settings: NormalizerSettings())
    normalizer.update(observations: [Float](repeating: 0, count: 8), goals: [], rows: 8)
    #expect(normalizer.deviation == [1e-4])
  }

  @Test func rowsAndSingleNumbersAgree() {
    var normalizer = RunningNormalizer(length: 4, settings: NormalizerSettings())
    let values: [Float] = [0.1, -3, 250, 7, 2, 2.5, -900, 1e-6, -1, 4, 0.5, 0.25]
    let (first, second) = (Array(values[0..<6]), Array(values[6..<12]))
    normalizer.update(observations: first, goals: second, rows: 3)
    let rows = Tensor(values, shape: [3, 4])
    normalizer.normalize(rows)
    for row in 0..<3 {
      var single = Array(values[row * 4..<row * 4 + 4])
      RunningNormalizer.normalize(
        &single, mean: normalizer.mean, deviation: normalizer.deviation,
        settings: normalizer.settings)
      #expect(single == Array(rows.floats[row * 4..<row * 4 + 4]))
    }
  }
}
