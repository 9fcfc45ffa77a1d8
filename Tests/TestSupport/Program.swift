public import Foundation

/// Runs the `goalpost` that was built beside the tests.
public enum Program {
  /// What a run of it left.
  public struct Result: Sendable {
    /// The exit status; 128 + the signal where a signal ended it.
    public let status: Int32
    /// Standard output.
    public let output: String
    /// Standard error.
    public let error: String
  }

  /// The executable.
  public static var executable: URL {
    let tests = URL(fileURLWithPath: ProcessInfo.processInfo.arguments[0])
    return tests.deletingLastPathComponent().appendingPathComponent("goalpost")
  }

  /// Starts the program, or another one; its output goes to files in `folder`.
  public static func start(
    _ arguments: [String], of program: URL = executable, in folder: URL,
    environment: [String: String] = [:]
  ) throws -> Process {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    for name in ["stdout.txt", "stderr.txt"] {
      try Data().write(to: folder.appendingPathComponent(name))
    }
    process.standardOutput = try FileHandle(
      forWritingTo: folder.appendingPathComponent("stdout.txt"))
    process.standardError = try FileHandle(
      forWritingTo: folder.appendingPathComponent("stderr.txt"))
    try process.run()
    return process
  }

  /// Starts a line of the shell, in which `$G` is the program; its output goes to files in
  /// `folder`.
  public static func startShell(_ line: String, in folder: URL) throws -> Process {
    try start(
      ["-c", line], of: URL(fileURLWithPath: "/bin/sh"), in: folder,
      environment: ["G": executable.path])
  }

  /// Runs the program, or another one, to its end.
  public static func run(
    _ arguments: [String], of program: URL = executable, in folder: URL,
    environment: [String: String] = [:]
  ) throws -> Result {
    try end(of: start(arguments, of: program, in: folder, environment: environment), in: folder)
  }

  /// Runs a line of the shell, in which `$G` is the program, to its end.
  public static func shell(_ line: String, in folder: URL) throws -> Result {
    try end(of: startShell(line, in: folder), in: folder)
  }

  private static func end(of process: Process, in folder: URL) throws -> Result {
    process.waitUntilExit()
    let signal = process.terminationReason == .uncaughtSignal
    return Result(
      status: process.terminationStatus + (signal ? 128 : 0),
      output: try String(
        contentsOf: folder.appendingPathComponent("stdout.txt"), encoding: .utf8),
      error: try String(
        contentsOf: folder.appendingPathComponent("stderr.txt"), encoding: .utf8))
  }
}
