import Foundation

/// Where the models that set-up unpacked are found.
enum ModelFiles {
  /// The path of a model's file, given relative to the folder `models`.
  ///
  /// Looked for in `$GOALPOST_DEPS/models` if that is set, or else in `models` beside the
  /// executable (an installed copy) and in `.deps/models` of the checkout that this was built from.
  /// Throws `EnvironmentError`.
  static func path(_ name: String) throws -> String {
    if let chosen = ProcessInfo.processInfo.environment["GOALPOST_DEPS"] {
      return try path(name, in: [chosen])
    }
    var folders: [String] = []
    if let executable = Bundle.main.executableURL?.resolvingSymlinksInPath() {
      folders.append(executable.deletingLastPathComponent().path)
    }
    // Sources/Environments/Shared/ModelFiles.swift
    let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    folders.append(checkout.appendingPathComponent(".deps").path)
    return try path(name, in: folders)
  }

  /// The text of a model's file, named and looked for as for `path`; throws `EnvironmentError`.
  static func text(_ name: String) throws -> String {
    let path = try path(name)
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw EnvironmentError.unreadableModel(path: path)
    }
    return text
  }

  private static func path(_ name: String, in folders: [String]) throws -> String {
    for folder in folders {
      let path = folder + "/models/" + name
      if FileManager.default.fileExists(atPath: path) { return path }
    }
    throw EnvironmentError.missingModel(name: name, folders: folders)
  }
}
