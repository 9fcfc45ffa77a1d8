internal import GoalCore
internal import Torch

/// How a network's input is normalised.
public struct NormalizerSettings: SettingGroup {
  /// Whether inputs are normalised at all; without, networks read them as they are.
  @Setting("whether inputs are normalised; without, they are read as they are")
  public var isOn = true
  /// Observations and goals are clipped to ± this, in their own units.
  @Setting("clip of observations and goals, in their own units", .positive)
  public var inputClip = 200.0
  /// Normalised numbers are clipped to ± this, in standard deviations.
  @Setting("clip of what is normalised, in standard deviations", .positive)
  public var outputClip = 5.0
  /// The smallest standard deviation that is divided by.
  @Setting("the smallest standard deviation divided by", .positive) public var epsilon = 1e-4

  /// The defaults of WGCSL's code.
  public init() {}

  /// Inputs are read as they are, unless a task's settings switch it on.
  static var off: NormalizerSettings {
    var settings = NormalizerSettings()
    settings.isOn = false
    return settings
  }
}

/// Running mean and deviation of each number in a network's input.
///
///     n = 1 + rows seen,  s = Σ clip(x, ±c),  q = Σ clip(x, ±c)²
///     μ = s / n,   σ = √max(ε², q / n − μ²),   y = clip((clip(x, ±c) − μ) / σ, ±k)
///
/// Before the first update μ = 0 and σ = 1. The count starts at 1 with a sum of 0, so the mean is
/// drawn a little towards 0. Source: github.com/YangRui2015/AWGCSL at d8f1c56,
/// `wgcsl/algo/normalizer.py`.
///
/// It differs from the reference in: 1. sums are kept in `Double`, which the reference keeps in
/// `float32` (its sums lose small numbers after some 10⁷ rows); 2. one normaliser holds observation
/// and goal side by side, where the reference has two: each number has its own statistics and every
/// row has both, so they are the same.
///
/// Shapes: `B` rows, `O` observation, `G` goal, `D = O + G`.
public struct RunningNormalizer: Sendable {
  /// Clips and ε.
  public let settings: NormalizerSettings
  /// μ, `[D]`.
  public private(set) var mean: [Float]
  /// σ, `[D]`.
  public private(set) var deviation: [Float]

  private(set) var count = 1.0
  private(set) var sums: [Double]
  private(set) var squares: [Double]
  private var meanTensor: Tensor
  private var deviationTensor: Tensor

  /// Makes a normaliser that has seen nothing.
  public init(length: Int, settings: NormalizerSettings) {
    self.settings = settings
    mean = [Float](repeating: 0, count: length)
    deviation = [Float](repeating: 1, count: length)
    sums = [Double](repeating: 0, count: length)
    squares = sums
    meanTensor = Tensor(mean, shape: [length])
    deviationTensor = Tensor(deviation, shape: [length])
  }

  /// Takes in rows: observations `[B, O]` and goals `[B, G]`.
  public mutating func update(observations: [Float], goals: [Float], rows: Int) {
    guard settings.isOn else { return }
    let (o, g) = (observations.count / rows, goals.count / rows)
    precondition(o + g == sums.count, "a row has \(sums.count) numbers, found \(o) + \(g)")
    add(observations, rows: rows, width: o, at: 0)
    add(goals, rows: rows, width: g, at: o)
    count += Double(rows)

    let smallest = settings.epsilon * settings.epsilon
    for d in sums.indices {
      let average = sums[d] / count
      mean[d] = Float(average)
      deviation[d] = Float(max(smallest, squares[d] / count - average * average).squareRoot())
    }
    refresh()
  }

  private mutating func add(_ values: [Float], rows: Int, width: Int, at start: Int) {
    let clip = Float(settings.inputClip)
    values.withUnsafeBufferPointer { values in
      sums.withUnsafeMutableBufferPointer { sums in
        squares.withUnsafeMutableBufferPointer { squares in
          for row in 0..<rows {
            for d in 0..<width {
              let x = Double(values[row * width + d].clamped(from: -clip, to: clip))
              sums[start + d] += x
              squares[start + d] += x * x
            }
          }
        }
      }
    }
  }

  private mutating func refresh() {
    meanTensor = Tensor(mean, shape: [mean.count])
    deviationTensor = Tensor(deviation, shape: [deviation.count])
  }

  /// Normalises rows `[B, D]` in place.
  func normalize(_ rows: Tensor) {
    guard settings.isOn else { return }
    rows.standardize(
      inner: settings.inputClip, mean: meanTensor, deviation: deviationTensor,
      outer: settings.outputClip)
  }

  /// Normalises rows `[..., K]` in place, whose numbers are those from `start` on.
  func normalize(_ rows: Tensor, from start: Int) {
    guard settings.isOn else { return }
    let part = start..<start + (rows.shape.last ?? 0)
    rows.standardize(
      inner: settings.inputClip, mean: meanTensor.rows(part), deviation: deviationTensor.rows(part),
      outer: settings.outputClip)
  }

  /// Normalises numbers of one row in place, those from `start` on; as `normalize` does.
  static func normalize(
    _ values: inout [Float], mean: [Float], deviation: [Float], settings: NormalizerSettings,
    from start: Int = 0
  ) {
    guard settings.isOn else { return }
    let (inner, outer) = (Float(settings.inputClip), Float(settings.outputClip))
    for d in values.indices {
      let x = values[d].clamped(from: -inner, to: inner)
      values[d] = ((x - mean[start + d]) / deviation[start + d]).clamped(from: -outer, to: outer)
    }
  }

  /// The same statistics with tensors of their own on this thread's device, for acting.
  func copied() -> RunningNormalizer {
    var copy = RunningNormalizer(length: mean.count, settings: settings)
    (copy.mean, copy.deviation) = (mean, deviation)
    copy.refresh()
    return copy
  }

  // MARK: - What to save

  /// The tensors that acting needs.
  var policyState: [NamedTensor] {
    [NamedTensor("mean", meanTensor), NamedTensor("deviation", deviationTensor)]
  }

  /// The tensors that updates need.
  var trainingState: [NamedTensor] {
    [
      NamedTensor("sums", Tensor(sums, shape: [sums.count])),
      NamedTensor("squares", Tensor(squares, shape: [squares.count])),
      NamedTensor("count", Tensor(count)),
    ]
  }

  /// Puts back what acting needs.
  mutating func restore(policy saved: [NamedTensor]) throws {
    try policyState.assign(from: saved)
    (mean, deviation) = (meanTensor.floats, deviationTensor.floats)
  }

  /// Puts back what updates need.
  mutating func restore(training saved: [NamedTensor]) throws {
    let parts = trainingState
    try parts.assign(from: saved)
    (sums, squares) = (parts[0].tensor.values(), parts[1].tensor.values())
    count = parts[2].tensor.values()[0]
  }
}
