import GoalCore

/// What can go wrong when a world is asked for.
public enum EnvironmentError: Error, Equatable, CustomStringConvertible {
  /// No world has this id, and these are the ids.
  case unknown(identifier: String, known: [String])
  /// A model's file is in none of the folders that are looked in.
  case missingModel(name: String, folders: [String])
  /// The world has no scripted policy.
  case noScript(identifier: String)

  /// Rule, what was found, where.
  public var description: String {
    switch self {
    case .unknown(let identifier, let known):
      NearNames.complaint("environment", identifier, among: known)
    case .missingModel(let name, let folders):
      "the model \(name) is missing (looked in \(folders.map { $0 + "/models" }.joined(separator: ", "))): run `make setup`"
    case .noScript(let identifier): "\(identifier) has no scripted policy"
    }
  }
}
