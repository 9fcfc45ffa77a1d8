internal import CTorch

extension Operators {
  static let sort = Op("sort")
  static let runningSum = Op("cumsum")
  static let isAbove = Op("gt.Scalar")
}

extension Tensor {
  /// The length of the union of the intervals from x_k to y_k, of those where x_k < y_k, in each of
  /// so many parts of two rows: `[B, parts]` of `[B, K]`.
  ///
  ///     ℓ_c = |⋃_k [x_k, max(x_k, y_k)]|,   k over the K / parts numbers of part c
  ///
  /// On the CPU it is one operator. Its gradient is −1 at the x where a stretch of the union
  /// begins, and 1 at the y where it ends.
  public static func intervalLengths(_ x: Tensor, _ y: Tensor, parts: Int) -> Tensor {
    guard TorchRuntime.device == .cpu else { return composedIntervalLengths(x, y, parts: parts) }
    let made = withExtendedLifetime((x, y)) {
      torch.interval_lengths(x.handle, y.handle, Int32(parts))
    }
    guard let made else { fatalError("\(TorchError.last)") }
    return Tensor(owning: made)
  }

  /// The same of libtorch's own operators, for other devices: ends in their order, and what lies
  /// between two of which more than none is open.
  static func composedIntervalLengths(_ x: Tensor, _ y: Tensor, parts: Int) -> Tensor {
    let (rows, count) = (x.shape[0], x.shape[1] / parts)
    let starts = x.reshaped([rows, parts, count])
    let ends = y.reshaped([rows, parts, count]).maximum(starts)
    let sorted = Operators.sort.several(.tensor(.concatenated([starts, ends], along: 2)), -1)
    let opens = Operators.isBelow(.tensor(sorted[1]), .number(Double(count)))
    let changes = Operators.multiplyNumber(.tensor(opens), 2.0) + -1
    let open = Operators.runningSum(.tensor(changes), -1)
    let covered = Operators.multiplyNumber(.tensor(Operators.isAbove(.tensor(open), 0.5)), 1.0)
    let last = 2 * count
    let steps =
      sorted[0].narrowed(1..<last, along: 2) - sorted[0].narrowed(0..<last - 1, along: 2)
    return (steps * covered.narrowed(0..<last - 1, along: 2)).sum(along: 2)
  }
}
