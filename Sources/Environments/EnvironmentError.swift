/// What can go wrong when a world is asked for.
public enum EnvironmentError: Error, Equatable, CustomStringConvertible {
  /// No world has this id; the nearest ids come with it.
  case unknown(identifier: String, near: [String], known: [String])
  /// A model's file is in none of the folders that are looked in.
  case missingModel(name: String, folders: [String])
  /// The world has no scripted policy.
  case noScript(identifier: String)

  /// Rule, what was found, where.
  public var description: String {
    switch self {
    case .unknown(let identifier, let near, let known):
      near.isEmpty
        ? "no environment is called '\(identifier)'; there are: \(known.joined(separator: ", "))"
        : "no environment is called '\(identifier)': did you mean "
          + near.joined(separator: " or ") + "?"
    case .missingModel(let name, let folders):
      "the model \(name) is missing (looked in \(folders.map { $0 + "/models" }.joined(separator: ", "))): run `make setup`"
    case .noScript(let identifier): "\(identifier) has no scripted policy"
    }
  }
}
