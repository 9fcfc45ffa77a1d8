public import Foundation

/// Where, when and by what a dataset or a run was made; kept apart from the manifest, as it differs
/// from machine to machine.
public struct Provenance: Codable, Sendable, Equatable {
  /// The machine's name.
  public var host: String
  /// Its processors.
  public var processors: Int
  /// When the command began, ISO 8601.
  public var started: String
  /// When it ended, ISO 8601.
  public var finished: String
  /// The command line.
  public var command: [String]
  /// The commit of the code, or nil where it is not known.
  public var commit: String?

  /// Describes this process, from `started` until now.
  public init(
    started: Date, command: [String] = CommandLine.arguments, commit: String? = nil
  ) {
    host = ProcessInfo.processInfo.hostName
    processors = ProcessInfo.processInfo.processorCount
    self.started = started.ISO8601Format()
    finished = Date().ISO8601Format()
    self.command = command
    self.commit = commit
  }

  /// Writes `provenance.json` into a folder, over any that is there.
  public func write(to folder: URL) throws(StorageError) {
    try PartFile.write(
      try SealedText.json(self), to: folder.appendingPathComponent("provenance.json"))
  }
}
