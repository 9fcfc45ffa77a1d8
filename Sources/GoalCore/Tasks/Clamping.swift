extension FloatingPoint {
  /// The nearest number in a range; not-a-number stays what it is, which `min` and `max` make a
  /// bound.
  @inlinable
  public func clamped(from low: Self, to high: Self) -> Self {
    self < low ? low : self > high ? high : self
  }
}

extension Sequence<Int> {
  /// The product, `Int.max` if it is larger; no factor is negative.
  public var clampedProduct: Int {
    reduce(1) { product, factor in
      let (next, overflow) = product.multipliedReportingOverflow(by: factor)
      return overflow ? .max : next
    }
  }

  /// The sum, `Int.max` if it is larger; no term is negative.
  public var clampedSum: Int {
    reduce(0) { sum, term in
      let (next, overflow) = sum.addingReportingOverflow(term)
      return overflow ? .max : next
    }
  }
}
