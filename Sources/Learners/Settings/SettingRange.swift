import Support

/// The values that a setting can have: what is computed from them fits 64 bits, and a network a
/// machine.
public struct SettingRange<Value: Sendable>: Sendable {
  /// Throws `SettingsError` for a value out of range; the text is the setting's key.
  let require: @Sendable (Value, String) throws -> Void
}

extension SettingRange where Value == Int {
  /// Whole numbers of a range.
  public static func within(_ range: ClosedRange<Int>) -> Self {
    Self { try Settings.require($0, in: range, $1) }
  }

  /// Rows in a batch.
  public static var batch: Self { within(1...1 << 24) }
  /// Units of a layer.
  static var width: Self { within(Settings.width) }
  /// Layers of a transformer.
  static var layers: Self { within(1...Settings.layers) }
  /// Values in each dimension of an action that is chosen among.
  static var bins: Self { within(2...1 << 16) }
  /// Classes of a head that chooses among all actions.
  static var joint: Self { within(0...1 << 16) }
  /// Episodes, updates and steps that something lasts.
  static var count: Self { within(1...1 << 32) }
  /// The same, or none.
  static var countOrNone: Self { within(0...1 << 32) }
  /// Steps within an episode.
  static var steps: Self { within(1...1 << 31 - 1) }
  /// Updates after an episode.
  static var updates: Self { within(1...1 << 20) }
  /// Steps that are held.
  static var bufferSteps: Self { within(1...1 << 40) }
}

extension SettingRange where Value == Double {
  private static func range(
    _ expected: String, _ holds: @escaping @Sendable (Double) -> Bool
  ) -> Self {
    Self {
      try Settings.require(holds($0), $1, expected, found: .number($0))
      // Tensors have floats of 4 bytes.
      try Settings.require(Float($0).isFinite, $1, "at most 3.4e38", found: .number($0))
    }
  }

  /// Above 0.
  public static var positive: Self { range("above 0") { $0 > 0 && $0.isFinite } }
  /// 0 or above.
  static var weight: Self { range("at least 0") { $0 >= 0 && $0.isFinite } }
  /// From 0 to 1.
  static var share: Self { range("from 0 to 1") { 0...1 ~= $0 } }
  /// From 0 to 100.
  static var percent: Self { range("from 0 to 100") { 0...100 ~= $0 } }
  /// Above 0 and below 1.
  static var inside: Self { range("above 0 and below 1") { $0 > 0 && $0 < 1 } }
  /// From 0 up to below 1.
  static var belowOne: Self { range("from 0 up to below 1") { 0..<1 ~= $0 } }
}

extension SettingRange where Value == [Int] {
  /// Units of each of some layers.
  public static var widths: Self {
    Self { widths, key in
      let range = Settings.width
      try Settings.require(
        widths.count <= Settings.layers && widths.allSatisfy { range ~= $0 }, key,
        "from \(range.lowerBound) to \(range.upperBound) each, of at most \(Settings.layers) layers",
        found: .list(widths.prefix(8).map { .integer($0) } + (widths.count > 8 ? ["..."] : [])))
    }
  }
}
