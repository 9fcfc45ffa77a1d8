/// One setting on one line: its meaning, range, source and default.
///
///     @Setting("rows in a batch", .batch, "config.py") public var batchSize = 128
///
/// A setting without a source has that of its group. JSON has the bare value under the property's
/// name.
@propertyWrapper
public struct Setting<Value: Codable & Sendable & Equatable>: Codable, Sendable, Equatable {
  /// The value.
  public var wrappedValue: Value
  let meaning: String
  let range: SettingRange<Value>
  let source: String?

  /// States a setting whose values have a range.
  public init(
    wrappedValue: Value, _ meaning: String, _ range: SettingRange<Value>, _ source: String? = nil
  ) {
    (self.wrappedValue, self.meaning) = (wrappedValue, meaning)
    (self.range, self.source) = (range, source)
  }

  /// States a setting of a type all of whose values can be taken.
  public init(wrappedValue: Value, _ meaning: String, _ source: String? = nil) {
    self.init(wrappedValue: wrappedValue, meaning, SettingRange { _, _ in }, source)
  }

  /// Reads the bare value.
  ///
  /// Meaning, range and source are those of the group's `init()`.
  public init(from decoder: any Decoder) throws {
    self.init(wrappedValue: try Value(from: decoder), "")
  }

  /// Writes the bare value.
  public func encode(to encoder: any Encoder) throws { try wrappedValue.encode(to: encoder) }

  /// Whether the values are equal.
  public static func == (left: Self, right: Self) -> Bool {
    left.wrappedValue == right.wrappedValue
  }
}

/// A group of settings with the source of those in it that name none, and with other words for
/// some.
///
///     @SettingsFrom("config.py") public var normalizer = NormalizerSettings()
@propertyWrapper
public struct SettingsFrom<Group: SettingGroup>: Codable, Sendable, Equatable {
  /// The group.
  public var wrappedValue: Group
  let facts: SettingFacts

  /// States a group; `meanings` and `sources` replace those of the settings that they name.
  public init(
    wrappedValue: Group, _ source: String? = nil, meanings: [String: String] = [:],
    sources: [String: String] = [:]
  ) {
    self.wrappedValue = wrappedValue
    facts = SettingFacts(source: source, meanings: meanings, sources: sources)
  }

  /// Reads the bare group.
  public init(from decoder: any Decoder) throws {
    self.init(wrappedValue: try Group(from: decoder))
  }

  /// Whether the groups are equal.
  public static func == (left: Self, right: Self) -> Bool {
    left.wrappedValue == right.wrappedValue
  }

  /// Writes the bare group.
  public func encode(to encoder: any Encoder) throws { try wrappedValue.encode(to: encoder) }
}

/// A group's own words for the settings in it.
struct SettingFacts: Sendable {
  var source: String?
  var meanings: [String: String] = [:]
  var sources: [String: String] = [:]
}

/// Settings that belong together: every stored property is a `Setting` or a group.
///
/// A group called `shared` holds what several learners have in common. Its settings stand in JSON,
/// in lists and in messages among the learner's own.
public protocol SettingGroup: Codable, Sendable, Equatable {
  /// The defaults.
  init()
  /// Throws `SettingsError` for settings, each in its range, that do not go together; `path` is the
  /// group's.
  func validateTogether(under path: [String]) throws
}

/// A learner's settings as `init()` states them, with the values that another instance has.
struct SettingTable {
  /// The name of a group whose settings stand among those beside it.
  static let shared = "shared"

  /// One setting.
  struct Row {
    let key: String
    let meaning: String
    let source: String
    let validate: () throws -> Void
  }

  /// All settings, in the order of reading: shared ones first, but shared groups last.
  private(set) var rows: [Row] = []
  private var checks: [() throws -> Void] = []

  /// The settings of a group and of the groups in it.
  init<Group: SettingGroup>(
    _ group: Group, under path: [String] = [], _ facts: SettingFacts = SettingFacts()
  ) {
    var last: [Row] = []
    let fields = zip(Mirror(reflecting: Group()).children, Mirror(reflecting: group).children)
    for (stated, present) in fields {
      let label = stated.label ?? ""
      let name = label.hasPrefix("_") ? String(label.dropFirst()) : label
      if let field = stated.value as? any SettingField {
        rows.append(field.row(of: present.value, name, under: path, facts))
        continue
      }
      var inner = (stated.value as? any GroupField)?.facts ?? SettingFacts()
      inner.source = facts.sources[name] ?? inner.source ?? facts.source
      guard
        let value = (present.value as? any GroupField)?.group ?? present.value as? any SettingGroup
      else { preconditionFailure("'\(name)' is a setting or a group of settings") }
      if name == Self.shared {
        let table = SettingTable(value, under: path, inner)
        rows += table.rows.filter { !$0.key.contains(".") }
        last = table.rows.filter { $0.key.contains(".") }
        checks += table.checks
      } else {
        let table = SettingTable(value, under: path + [name], inner)
        (rows, checks) = (rows + table.rows, checks + table.checks)
      }
    }
    rows += last
    checks.append { try group.validateTogether(under: path) }
  }

  /// Throws `SettingsError` for the first value out of its range, or else for those that do not go
  /// together.
  func validate() throws {
    for row in rows { try row.validate() }
    for check in checks { try check() }
  }
}

extension SettingGroup {
  /// All settings that are in their ranges go together.
  public func validateTogether(under path: [String]) throws {}

  /// Throws `SettingsError` for the first value out of its range.
  public func validate(under path: [String] = []) throws {
    try SettingTable(self, under: path).validate()
  }
}

/// A `Setting` of any type.
private protocol SettingField {
  func row(
    of present: Any, _ name: String, under path: [String], _ facts: SettingFacts
  ) -> SettingTable.Row
}

extension Setting: SettingField {
  fileprivate func row(
    of present: Any, _ name: String, under path: [String], _ facts: SettingFacts
  ) -> SettingTable.Row {
    let value = (present as? Self ?? self).wrappedValue
    let key = (path + [name]).joined(separator: ".")
    return SettingTable.Row(
      key: key, meaning: facts.meanings[name] ?? meaning,
      source: facts.sources[name] ?? source ?? facts.source ?? ""
    ) { [range] in try range.require(value, key) }
  }
}

/// A `SettingsFrom` of any group.
private protocol GroupField {
  var facts: SettingFacts { get }
  var group: any SettingGroup { get }
}

extension SettingsFrom: GroupField {
  fileprivate var group: any SettingGroup { wrappedValue }
}
