/// The ranges of learners' settings: what is worked out from them fits 64 bits, and a network a machine.
enum SettingRange {
  /// Rows in a batch.
  static let batch = 1...1 << 24
  /// Units of a layer.
  static let width = 1...1 << 16
  /// Hidden layers of a network.
  static let layers = 0...1 << 8
  /// Values in each dimension of an action that is chosen among.
  static let bins = 2...1 << 16
  /// Classes of a head that chooses among all actions.
  static let joint = 0...1 << 16
  /// Episodes, updates and steps that something lasts.
  static let count = 1...1 << 32
  /// Updates after an episode.
  static let updates = 1...1 << 20
  /// Steps that are held.
  static let bufferSteps = 1...1 << 40
  /// Numbers that a layer gives for a batch, 1 GiB of them.
  static let activations = 1 << 28
}
