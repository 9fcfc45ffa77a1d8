import Foundation
import Glibc

/// An error of a file or folder; it prints one sentence: the rule, what was found, and
/// where.
public enum FileError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A file or folder is missing.
  case missing(_ path: String)
  /// A shard of a dataset that a recipe makes, which lies beside it, is not there.
  case notCollected(_ path: String, recipe: String)
  /// The system refused to read.
  case cannotRead(_ path: String, reason: String)
  /// The system refused to write.
  case cannotWrite(_ path: String, reason: String)
  /// The disk, or the user's share of it, is full; nothing was left of the file.
  case diskFull(_ path: String)
  /// The HDF5 library refused an operation; `stack` is its error stack, the cause first.
  case refused(operation: String, file: String, stack: [String])
  /// The operating system refused to open, read or map a file.
  case system(operation: String, file: String, reason: String)
  /// A dataset's stored bytes do not lie inside the file or cannot be decoded.
  case damaged(file: String, dataset: String, rule: String)
  /// A file has fewer bytes than it says; its last are missing.
  case cutShort(file: String, byteCount: Int, expected: Int)
  /// A file of others holds, or lacks, what it is not read with.
  case notRead(file: String, dataset: String, reason: String)
  /// A shard lacks a dataset that it must have.
  case missingDataset(file: String, dataset: String)
  /// A dataset has other elements than its column.
  case wrongType(file: String, dataset: String, expected: String, found: String)
  /// A dataset has another shape than the specification and the episode lengths give.
  case wrongShape(file: String, dataset: String, expected: [Int], found: [Int])
  /// An element breaks a rule.
  case wrongValue(file: String, dataset: String, rule: String, row: Int, found: String)
  /// A file's bytes do not give the digest that is listed for it.
  case altered(_ path: String, expected: String, found: String)
  /// A file has another number of bytes than is listed for it.
  case wrongSize(_ path: String, expected: Int, found: Int)
  /// A text file of ours is not what was written.
  case malformed(_ path: String, rule: String, found: String)
  /// A file has a layout that this version does not know.
  case unknownSchema(_ path: String, known: Int, found: Int)
  /// A folder holds a dataset of another recipe; `setting` is the first that differs.
  case otherRecipe(_ folder: String, setting: String, there: String, asked: String)
  /// A folder that is to become a dataset holds something else.
  case foreignFolder(_ folder: String, entry: String)
  /// A shard that was made again came out differently from the one that is listed.
  case madeDifferently(_ path: String, listed: String, found: String)
  /// A foreign file holds what cannot be converted, or a format cannot hold what is to be written.
  case cannotConvert(_ path: String, reason: String)
  /// Work was stopped before a file was whole, and nothing was left of it.
  case stopped(_ path: String)
  /// A dataset lacks shards.
  case incomplete(_ folder: String, missing: [Int])

  /// One sentence: the rule, what was found, and where.
  public var description: String {
    switch self {
    case .missing(let path): "\(path): is missing"
    case .notCollected(let path, let recipe):
      "\(path): is missing: `goalpost collect \(recipe)` makes it"
    case .cannotRead(let path, let reason): "\(path): cannot be read: \(reason)"
    case .cannotWrite(let path, let reason): "\(path): cannot be written: \(reason)"
    case .diskFull(let path): "\(path): the disk is full; make room and run again to go on"
    case .refused(let operation, let file, let stack):
      "\(file): HDF5 cannot \(operation)"
        + (stack.isEmpty ? "" : ": " + stack.joined(separator: "; "))
    case .system(let operation, let file, let reason): "\(file): cannot \(operation): \(reason)"
    case .damaged(let file, let dataset, let rule): "\(file): '\(dataset)' is damaged: \(rule)"
    case .cutShort(let file, let byteCount, let expected):
      "\(file): is cut short: it has \(byteCount) bytes and says that it has \(expected), so the last "
        + "\(expected - byteCount) are missing"
    case .notRead(let file, let dataset, let reason):
      "\(file): '\(dataset)' cannot be read: \(reason)"
    case .missingDataset(let file, let dataset):
      "\(file): '\(dataset)' must be there, and is missing"
    case .wrongType(let file, let dataset, let expected, let found):
      "\(file): '\(dataset)' must be \(expected), found \(found)"
    case .wrongShape(let file, let dataset, let expected, let found):
      "\(file): '\(dataset)' must be \(expected), found \(found)"
    case .wrongValue(let file, let dataset, let rule, let row, let found):
      "\(file): '\(dataset)' \(rule), found \(found) in row \(row)"
    case .altered(let path, let expected, let found):
      "\(path): was altered: its SHA-256 must be \(expected), found \(found)"
    case .wrongSize(let path, let expected, let found):
      "\(path): was altered: it must have \(expected) bytes, found \(found)"
    case .malformed(let path, let rule, let found): "\(path): \(rule), found \(found)"
    case .unknownSchema(let path, let known, let found):
      "\(path): this version knows schema \(known), found \(found)"
    case .otherRecipe(let folder, let setting, let there, let asked):
      "\(folder): holds a dataset whose \(setting) is \(InvalidValue.short(there)), "
        + "asked for \(InvalidValue.short(asked))"
    case .foreignFolder(let folder, let entry):
      "\(folder): must be empty or hold a dataset, found '\(entry)'"
    case .madeDifferently(let path, let listed, let found):
      "\(path): was made again and must give SHA-256 \(listed), found \(found)"
    case .cannotConvert(let path, let reason): "\(path): \(reason)"
    case .stopped(let path): "\(path): was not written, as the work was stopped"
    case .incomplete(let folder, let missing):
      "\(folder): must have all its shards, "
        + "\(missing.count) missing: \(missing.prefix(8).map(String.init).joined(separator: ", "))"
        + (missing.count > 8 ? ", ..." : "")
    }
  }

  /// The sentence without the file, for lists of what is wrong in one.
  package var short: String {
    switch self {
    case .missingDataset(_, let dataset): "'\(dataset)' is missing"
    case .wrongValue(_, let dataset, let rule, let row, let found):
      "'\(dataset)' \(rule), found \(found) in row \(row)"
    case .wrongType(_, let dataset, let expected, let found):
      "'\(dataset)' must be \(expected), found \(found)"
    case .wrongShape(_, let dataset, let expected, let found):
      "'\(dataset)' must be \(expected), found \(found)"
    case .cannotConvert(_, let reason): reason
    default: description
    }
  }

  /// The error of a write that the system refused with the present `errno`.
  package static func writing(_ path: String, code: Int32 = errno) -> FileError {
    code == ENOSPC || code == EDQUOT
      ? .diskFull(path) : .cannotWrite(path, reason: systemReason(code))
  }
}

/// The system's text for an error number, by default the present one.
package func systemReason(_ code: Int32 = errno) -> String {
  switch code {
  case EACCES, EPERM: "this user has no permission"
  case EROFS: "the file system is read-only"
  case EFBIG:
    "it is larger than this process may make files (`ulimit -f`), or than the file system has"
  default: String(cString: strerror(code))
  }
}

/// The system's text in an error of Foundation's, whose own text names its domain and code.
public func systemReason(of error: any Error) -> String {
  let error = error as NSError
  if let inner = error.userInfo[NSUnderlyingErrorKey] as? NSError { return systemReason(of: inner) }
  return error.domain == NSPOSIXErrorDomain
    ? systemReason(Int32(truncatingIfNeeded: error.code)) : error.localizedDescription
}
