extension FloatingPoint {
  /// The nearest number in a range; not-a-number stays what it is, which `min` and `max` make a bound.
  @inlinable
  public func clamped(from low: Self, to high: Self) -> Self {
    self < low ? low : self > high ? high : self
  }
}
