/// Errors of models, libraries and renderers of MuJoCo.
public enum MuJoCoError: Error, Equatable, CustomStringConvertible {
  /// The library that was loaded is not the one whose headers were compiled against.
  case otherVersion(built: Int, loaded: Int)
  /// A model could not be read or compiled.
  case model(path: String, message: String)
  /// A model lacks something that was asked for by name.
  case noSuchName(kind: String, name: String)
  /// This machine cannot draw without a display.
  case noRenderer(String)

  /// Rule, what was found, where.
  public var description: String {
    switch self {
    case .otherVersion(let built, let loaded):
      "this program was built for MuJoCo \(built), but loaded \(loaded): run `make setup` again"
    case .model(let path, let message):
      "\(path): MuJoCo can't load this model: \(message)"
    case .noSuchName(let kind, let name): "the model has no \(kind) called '\(name)'"
    case .noRenderer(let message): "pictures need EGL or OSMesa: \(message)"
    }
  }
}
