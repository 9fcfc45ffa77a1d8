public import Foundation

/// Runs Python scripts of the tests in the virtual environment that `make setup` made.
public enum PythonReference {
  /// What went wrong in a script.
  public struct Failure: Error, CustomStringConvertible {
    /// The script's standard error, or why it could not start.
    public let description: String
  }

  /// Where set-up put everything.
  public static var dependencies: URL {
    if let chosen = ProcessInfo.processInfo.environment["GOALPOST_DEPS"] {
      return URL(fileURLWithPath: chosen)
    }
    return checkout.appendingPathComponent(".deps")
  }

  /// The checkout.
  public static var checkout: URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
  }

  /// A file or folder of `../shared`, which may lie beside the checkout; nil if it is missing.
  public static func shared(_ path: String) -> URL? {
    let file = checkout.deletingLastPathComponent().appendingPathComponent("shared/\(path)")
    return FileManager.default.fileExists(atPath: file.path) ? file : nil
  }

  /// Whether the Python of other systems, which is set up only when asked for, has a package.
  public static func peersHave(_ package: String) -> Bool {
    let folder = dependencies.appendingPathComponent("venv-peers/lib")
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return versions.contains {
      FileManager.default.fileExists(
        atPath: folder.appendingPathComponent("\($0)/site-packages/\(package)").path)
    }
  }

  /// Whether the Python of other systems, which `make setup-peers` makes, is set up; prints a line
  /// if not.
  public static func hasPeers(for test: String) -> Bool {
    let python = dependencies.appendingPathComponent("venv-peers/bin/python")
    if FileManager.default.isExecutableFile(atPath: python.path) { return true }
    print("skipped: \(test): \(python.path) is missing: run `make setup-peers`")
    return false
  }

  /// Runs a script, of the folder `Tests/Python`, with other systems' Python.
  public static func runPeer(
    _ script: String, arguments: [String] = [], input: Data = Data()
  ) throws -> Data {
    try run(
      script: checkout.appendingPathComponent("Tests/Python/" + script), arguments: arguments,
      input: input, environment: "venv-peers")
  }

  /// Runs a script, of the folder `Tests/Python`, with `input` on its standard input; its output.
  public static func run(
    _ script: String, arguments: [String] = [], input: Data = Data()
  ) throws -> Data {
    try run(
      script: checkout.appendingPathComponent("Tests/Python/" + script), arguments: arguments,
      input: input)
  }

  /// Runs a script that lies anywhere.
  public static func run(
    script: URL, arguments: [String] = [], input: Data = Data(), environment: String = "venv"
  ) throws -> Data {
    let python = dependencies.appendingPathComponent("\(environment)/bin/python")
    guard FileManager.default.isExecutableFile(atPath: python.path) else {
      throw Failure(description: "\(python.path) is missing: run `make setup`")
    }
    let folder = try TemporaryFolder()
    let files = ["in", "out", "err"].map { folder.url.appendingPathComponent($0) }
    try input.write(to: files[0])
    for file in files[1...] { try Data().write(to: file) }
    let process = Process()
    process.executableURL = python
    process.arguments = [script.path] + arguments
    process.standardInput = try FileHandle(forReadingFrom: files[0])
    process.standardOutput = try FileHandle(forWritingTo: files[1])
    process.standardError = try FileHandle(forWritingTo: files[2])
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(description: String(decoding: try Data(contentsOf: files[2]), as: UTF8.self))
    }
    return try Data(contentsOf: files[1])
  }
}
