/// An error of an HDF5 file.
public enum HDF5Error: Error, Equatable, Sendable, CustomStringConvertible {
  /// The library refused an operation; `stack` is its error stack, the cause first.
  case refused(operation: String, file: String, stack: [String])
  /// The operating system refused to open, read or map a file.
  case system(operation: String, file: String, reason: String)
  /// A dataset's stored bytes do not lie inside the file or cannot be decoded.
  case damaged(file: String, dataset: String, rule: String)
  /// A file has fewer bytes than it says; its last are missing.
  case cutShort(file: String, byteCount: Int, expected: Int)
  /// A file of others holds, or lacks, what it is not read with.
  case notRead(file: String, dataset: String, reason: String)

  /// One sentence: the rule, what was found, and where.
  public var description: String {
    switch self {
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
    }
  }
}
