public import Foundation
public import Storage
public import Support

/// A format that trajectories come in and go out as: a folder of `Formats`, and a line in
/// `Formats.all`.
public protocol DatasetFormat: Sendable {
  /// Its name on the command line.
  var name: String { get }
  /// A summary in a few words.
  var summary: String { get }
  /// Whether a file or folder is of it, judged by its name and its first bytes.
  func recognizes(_ url: URL) -> Bool
  /// Whether an output of that name can only be of it.
  func isMeant(by output: URL) -> Bool
  /// Whether an output of that name can be of it, among others.
  func mayBeMeant(by output: URL) -> Bool
  /// The file of the validation episodes that goes with a file; nil if the format has none.
  func validation(of url: URL) -> URL?
  /// Whether it is read and never written.
  var isReadOnly: Bool { get }
  /// Whether one file holds episodes for training and for validation.
  var keepsValidationInside: Bool { get }
  /// The files that an input consists of, of which the digests are kept.
  func files(of url: URL) throws(FileError) -> [URL]
  /// Whether `FormatOptions.ends` means something to it.
  var hasTwoKindsOfEnds: Bool { get }
  /// Whether it can join observations and goals of several keys.
  var joinsKeys: Bool { get }
  /// Opens files for reading.
  func open(_ url: URL, _ options: FormatOptions) throws(FileError) -> any TrajectorySource
  /// Writes episodes; the output appears whole or not at all.
  ///
  /// - Returns: What the format could not hold, what was computed and what was assumed.
  func write(_ request: FormatRequest) throws(FileError) -> ConversionNotes
}

extension DatasetFormat {
  /// Only if it must be.
  public func mayBeMeant(by output: URL) -> Bool { isMeant(by: output) }

  /// Returns nil.
  public func validation(of url: URL) -> URL? { nil }

  /// It is written as well.
  public var isReadOnly: Bool { false }

  /// It cannot be written.
  public func write(_ request: FormatRequest) throws(FileError) -> ConversionNotes {
    throw .cannotConvert(
      request.url.path,
      reason: "\(name) is read and not written")
  }

  /// It does not.
  public var keepsValidationInside: Bool { false }

  /// It does not.
  public var hasTwoKindsOfEnds: Bool { false }

  /// It cannot.
  public var joinsKeys: Bool { false }

  /// The file itself.
  public func files(of url: URL) throws(FileError) -> [URL] { [url] }
}

/// The first bytes of a file; none if it cannot be read.
func firstBytes(of url: URL, _ count: Int) -> [UInt8] {
  (try? WholeFile.first(count, of: url)) ?? []
}
