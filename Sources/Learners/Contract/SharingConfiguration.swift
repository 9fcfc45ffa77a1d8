internal import GoalCore

/// Settings that several learners have in common.
protocol SharedSettings: SettingGroup {
  var batchSize: Int { get set }
  var hiddenWidths: [Int] { get set }
  var online: OnlineSettings { get set }
}

extension SharedSettings {
  /// Throws `SettingsError` for layers that give too many numbers for a batch.
  public func validateTogether(under path: [String]) throws {
    try Settings.requireLayers(hiddenWidths, batch: batchSize)
  }
}

/// The settings of a learner that shares some with others: those, and its own.
@dynamicMemberLookup
protocol SharingConfiguration: LearnerConfiguration {
  associatedtype Shared: SharedSettings
  var shared: Shared { get set }
}

extension SharingConfiguration {
  subscript<Value>(dynamicMember path: WritableKeyPath<Shared, Value>) -> Value {
    get { shared[keyPath: path] }
    set { shared[keyPath: path] = newValue }
  }

  /// Units of each hidden layer of its networks.
  public var hiddenWidths: [Int] {
    get { shared.hiddenWidths }
    set { shared.hiddenWidths = newValue }
  }

  /// How the learner learns online.
  public var online: OnlineSettings {
    get { shared.online }
    set { shared.online = newValue }
  }
}
