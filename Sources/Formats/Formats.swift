public import Foundation
import SafeHDF5
public import Storage
public import Support

/// All formats.
public enum Formats {
  /// Every format, in the order in which they are asked whether a file is theirs.
  public static let all: [any DatasetFormat] = [
    TrajectoryPickle(),
    WGCSLPickle(),
    WGCSLArrays(),
    GCSLArrays(),
    OGBench(),
    StableBaselinesRows(),
    HindsightBuffer(),
    Minari(),
    Robomimic(),
    D4RL(),
    LeRobot(),
  ]

  /// The formats that can be written.
  public static var written: [any DatasetFormat] { all.filter { !$0.isReadOnly } }

  /// Writes a foreign file or folder, which appears whole or not at all.
  ///
  /// - Returns: What the format could not hold, what was computed and what was assumed.
  /// - Throws: `cannotConvert` if there is something at that place, or if another process writes
  ///   it; what a killed one left half written is removed.
  public static func write(
    _ request: FormatRequest, as format: any DatasetFormat
  ) throws(FileError) -> ConversionNotes {
    let path = request.url.path
    if format.isReadOnly {
      throw .cannotConvert(
        path,
        reason: "\(format.name) is read and not written; written are "
          + written.map(\.name).joined(separator: ", "))
    }
    do {
      try FileManager.default.createDirectory(
        at: request.url.deletingLastPathComponent(), withIntermediateDirectories: true)
    } catch {
      throw .cannotWrite(path, reason: "its folder cannot be made")
    }
    let lockFile = URL(fileURLWithPath: path + ".lock")
    guard let lock = try FileLock.take(lockFile, wait: false) else {
      throw .cannotConvert(path, reason: "is being written by another process")
    }
    defer { withExtendedLifetime(lock) {} }
    guard !FileManager.default.fileExists(atPath: path) else {
      throw .cannotConvert(
        path, reason: "is there already: remove it, or give another --output")
    }
    PartFile.removeParts(of: request.url)
    do throws(FileError) {
      return try format.write(request)
    } catch .diskFull(let part) where part.hasPrefix(path) {
      throw .diskFull(path)
    } catch .cannotWrite(let part, let reason) where part.hasPrefix(path) {
      throw .cannotWrite(path, reason: reason)
    }
  }

  /// The format of a name.
  public static func named(_ name: String) throws(FileError) -> any DatasetFormat {
    guard let format = all.first(where: { $0.name == name }) else {
      throw .cannotConvert(
        name, reason: "is no format; there are \(all.map(\.name).joined(separator: ", "))")
    }
    return format
  }

  /// The format of a file or folder, judged by its name and first bytes.
  public static func guessed(_ url: URL) throws(FileError) -> any DatasetFormat {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
      throw .missing(url.path)
    }
    if !isFolder.boolValue { _ = try WholeFile.first(1, of: url) }
    guard let format = all.first(where: { $0.recognizes(url) }) else {
      // A file that is cut short or damaged says so, before it is said to be of no known format.
      if SafeFile.begins(url) {
        _ = try SafeFile(contentsOf: url).root()
      }
      if let reason = UnreadFormats.reason(for: url) {
        throw .cannotConvert(url.path, reason: reason)
      }
      throw .cannotConvert(
        url.path,
        reason: "its format is not clear: name it with --from, one of "
          + all.map(\.name).joined(separator: ", "))
    }
    return format
  }
}
