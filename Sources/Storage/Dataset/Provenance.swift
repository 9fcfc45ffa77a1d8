public import Foundation
public import Support

/// Where, when and by what a dataset or a run was made, call by call; kept apart from the manifest,
/// as it differs from machine to machine.
public struct Provenance: Codable, Sendable, Equatable {
  /// One call of the program.
  public struct Part: Codable, Sendable, Equatable {
    /// The machine's name.
    public var host: String
    /// Its processors.
    public var processors: Int
    /// The vector instructions that its libraries chose, which decide the last bits of training;
    /// nil if that was not written down.
    public var instructionSet: String?
    /// When the call began, ISO 8601.
    public var started: String
    /// When it ended, ISO 8601; nil if it was killed, or goes on.
    public var finished: String?
    /// The command line, with all that was drawn for it.
    public var command: [String]
    /// The folder that it was called in; nil if that was not written down.
    public var directory: String?
    /// The commit of the code, or nil if it is not known.
    public var commit: String?
    /// Versions of the libraries that decide the numbers, by name; nil if they were not written
    /// down.
    public var libraries: [String: String]?
    /// The updates that a run had before; nil for a dataset.
    public var fromUpdate: Int?
    /// The updates that a run had at the end; nil for a dataset, and if the call did not come to
    /// its end.
    public var toUpdate: Int?
    /// The episodes that were made of a dataset; nil for a run.
    public var episodes: Int?

    /// Describes this process, from `started` on.
    public init(
      started: Date, command: [String] = CommandLine.arguments, commit: String? = nil,
      instructionSet: String? = nil, libraries: [String: String]? = nil
    ) {
      host = ProcessInfo.processInfo.hostName
      processors = ProcessInfo.processInfo.processorCount
      self.instructionSet = instructionSet
      self.started = started.ISO8601Format()
      self.command = command
      directory = FileManager.default.currentDirectoryPath
      self.commit = commit
      self.libraries = libraries
    }

    /// Writes down that the call ends now.
    public mutating func finish() { finished = Date().ISO8601Format() }
  }

  /// The calls, oldest first.
  public var parts: [Part]

  /// The results of these calls.
  public init(_ parts: [Part]) { self.parts = parts }

  private enum CodingKeys: String, CodingKey { case parts }

  /// Reads the parts; a file of an older version is one part.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    parts =
      container.contains(.parts)
      ? try container.decode([Part].self, forKey: .parts) : [try Part(from: decoder)]
  }

  private static func file(in folder: URL) -> URL {
    folder.appendingPathComponent("provenance.json")
  }

  /// Reads `provenance.json` of a folder; nil if it is missing.
  ///
  /// Throws `malformed` for a damaged one.
  public init?(in folder: URL) throws(FileError) {
    let file = Provenance.file(in: folder)
    guard FileManager.default.fileExists(atPath: file.path) else { return nil }
    self = try StoredJSON.read(Provenance.self, from: file)
  }

  /// Writes `provenance.json` into a folder, over any that is there.
  public func write(to folder: URL) throws(FileError) {
    try PartFile.write(StoredJSON.text(of: self), to: Provenance.file(in: folder))
  }

  /// Adds a part to those that a folder has; several processes may do so at once.
  public static func append(_ part: Part, in folder: URL) throws(FileError) {
    let lock = try FileLock.take(folder.appendingPathComponent("provenance.lock"), wait: true)
    defer { withExtendedLifetime(lock) {} }
    var all = try Provenance(in: folder) ?? Provenance([])
    all.parts.append(part)
    try all.write(to: folder)
  }
}
