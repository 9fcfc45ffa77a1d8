import Foundation

/// Round numbers along an axis: 1, 2 or 5 times a power of ten apart.
struct Ticks {
  /// The numbers, ascending, all in the range.
  let values: [Double]
  /// The distance between two.
  let step: Double

  /// About `count` ticks in a range, at least `least` apart.
  init(from low: Double, to high: Double, count: Int = 5, least: Double = 0) {
    step = max(least, Ticks.step(for: (high - low) / Double(count), roundingUp: false))
    let first = (low / step - 1e-9).rounded(.up)
    let last = (high / step + 1e-9).rounded(.down)
    let step = step
    let places = last - first
    values = 0...1_000 ~= places ? (0...Int(places)).map { (first + Double($0)) * step } : []
  }

  /// Whether the labels have room side by side on so many pixels.
  func fit(_ width: Double) -> Bool {
    guard values.count > 1, let first = values.first, let last = values.last else { return true }
    let longest = Double(max(text(first).count, text(last).count))
    // The axis reaches a little beyond the ticks.
    return longest * 6.4 + 8 <= width / Double(values.count)
  }

  /// A number as it stands at a tick.
  func text(_ value: Double) -> String {
    let size = max(abs(values.first ?? 0), abs(values.last ?? 0))
    if abs(value) < step * 1e-6 { return "0" }
    if size >= 1e7 || step < 1e-4 { return String(format: "%g", value) }
    let places = max(0, Int((-log10(step) - 1e-9).rounded(.up)))
    let plain = String(format: "%.\(places)f", value)
    return places == 0 ? Self.grouped(plain) : plain
  }

  /// Digits in groups of three.
  static func grouped(_ digits: String) -> String {
    var result = ""
    for (place, digit) in digits.reversed().enumerated() {
      if place > 0, place % 3 == 0, digit.isNumber { result.append(",") }
      result.append(digit)
    }
    return String(result.reversed())
  }

  /// The round number at or above `size`, or the nearest one; 1 if `size` is no length.
  static func step(for size: Double, roundingUp: Bool) -> Double {
    guard size.isFinite, size > 0 else { return 1 }
    let power = pow(10, log10(size).rounded(.down))
    let part = size / power
    let limits = roundingUp ? [1.0, 2, 5] : [1.5, 3.5, 7.5]
    for (limit, factor) in zip(limits, [1.0, 2, 5]) where part <= limit * (1 + 1e-9) {
      return factor * power
    }
    return 10 * power
  }
}
