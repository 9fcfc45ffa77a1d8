import Foundation

/// Where the models that set-up unpacked are found.
enum ModelFiles {
  /// The path of a model's file, given relative to the folder `models`.
  ///
  /// Looked for in `$GOALPOST_DEPS/models` if that is set, or else in `models` beside the executable
  /// (an installed copy) and in `.deps/models` of the checkout that this was built from. Throws
  /// `EnvironmentError`.
  static func path(_ name: String) throws -> String {
    if let chosen = ProcessInfo.processInfo.environment["GOALPOST_DEPS"] {
      return try path(name, in: [chosen])
    }
    var folders: [String] = []
    if let executable = Bundle.main.executableURL?.resolvingSymlinksInPath() {
      folders.append(executable.deletingLastPathComponent().path)
    }
    let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    folders.append(checkout.appendingPathComponent(".deps").path)
    return try path(name, in: folders)
  }

  private static func path(_ name: String, in folders: [String]) throws -> String {
    for folder in folders {
      let path = folder + "/models/" + name
      if FileManager.default.fileExists(atPath: path) { return path }
    }
    throw EnvironmentError.missingModel(name: name, folders: folders)
  }
}
