import CHDF5

/// What went wrong with an HDF5 file.
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

  /// The library's error stack of this thread, the cause first.
  static func stack() -> [String] {
    var lines: [String] = []
    withUnsafeMutablePointer(to: &lines) { pointer in
      _ = H5Ewalk2(
        hid_t(H5E_DEFAULT), H5E_WALK_UPWARD,
        { _, entry, target in
          guard let entry, let target else { return 0 }
          let lines = target.assumingMemoryBound(to: [String].self)
          let function = entry.pointee.func_name.map { String(cString: $0) } ?? "HDF5"
          let text = entry.pointee.desc.map { String(cString: $0) } ?? "no reason given"
          lines.pointee.append("\(function): \(text)")
          return 0
        }, pointer)
    }
    return lines
  }
}

/// Words out of a foreign file as a message has them: short, and without what a terminal would obey.
public func shown(_ text: String) -> String {
  let plain = text.unicodeScalars.prefix(60).map {
    $0.properties.generalCategory == .control || $0 == "\u{2028}" || $0 == "\u{2029}"
      ? "?" : String($0)
  }
  return plain.joined() + (text.unicodeScalars.count > 60 ? "..." : "")
}

/// Names out of a foreign file as a line has them: each of them, up to `limit`, and how many there are more.
public func shown(_ names: some Collection<String>, atMost limit: Int = 100) -> String {
  names.prefix(limit).map { shown($0) }.joined(separator: ", ")
    + (names.count > limit ? " and \(names.count - limit) more" : "")
}
