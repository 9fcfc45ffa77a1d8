/// Whether names with slashes between them, out of a foreign file, can be a column's path.
package func isColumnPath(_ path: some StringProtocol) -> Bool {
  let names = path.split(separator: "/", omittingEmptySubsequences: false)
  return names.count <= 8 && names.allSatisfy { isColumnName(String($0)) }
}

/// Whether a name out of a foreign file can be that of a column: letters, digits, `_` and `-`.
package func isColumnName(_ name: String) -> Bool {
  (1...60).contains(name.utf8.count)
    && name.utf8.allSatisfy { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f, 0x2d: true
      default: false
      }
    }
}
