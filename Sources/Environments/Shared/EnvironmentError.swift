import GoalCore
import Support

/// Errors of finding and loading a world.
public enum EnvironmentError: Error, Equatable, CustomStringConvertible {
  /// No world has this id, and these are the ids.
  case unknown(identifier: String, known: [String])
  /// A model's file is in none of the folders that are looked in.
  case missingModel(name: String, folders: [String])
  /// A model's file is not the one that is expected: it does not hold this text exactly once.
  case otherModel(name: String, lacks: String)
  /// A model's file cannot be read.
  case unreadableModel(path: String)
  /// The world has no scripted policy.
  case noScript(identifier: String)

  /// Rule, what was found, where.
  public var description: String {
    switch self {
    case .unknown(let identifier, let known):
      NearNames.complaint("environment", identifier, among: known)
    case .missingModel(let name, let folders):
      "the model \(name) is missing (looked in \(folders.map { $0 + "/models" }.joined(separator: ", "))): run `make setup`"
    case .otherModel(let name, let lacks):
      "the model \(name) must hold '\(lacks)' exactly once, as in the version that set-up unpacks: run `make setup`"
    case .unreadableModel(let path): "the model \(path) can't be read as text: run `make setup`"
    case .noScript(let identifier): "\(identifier) has no scripted policy"
    }
  }
}
