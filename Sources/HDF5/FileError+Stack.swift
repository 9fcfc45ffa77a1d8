import CHDF5
import Support

extension FileError {
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
          // Some texts end with a time, and that with the end of a line.
          let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
          lines.pointee.append("\(function): \(line)")
          return 0
        }, pointer)
    }
    return lines
  }
}
