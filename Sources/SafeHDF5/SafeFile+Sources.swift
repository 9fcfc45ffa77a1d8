public import Foundation
import Support
import Synchronization

// Files that virtual datasets of a file take their elements from.

extension SafeFile {
  /// The maximum number of files that virtual datasets of a file are read from: each is mapped as
  /// long as it.
  private static let sourceLimit = 4_000

  /// The other files that its virtual datasets are read from, of those that were opened or listed
  /// so far, sorted.
  public var sourceFiles: [URL] {
    sources.withLock { $0.values.map(\.name) }.sorted().map { URL(fileURLWithPath: $0) }
  }

  /// Bytes of the file and of `sourceFiles`.
  public var byteCountWithSources: Int {
    sources.withLock { $0.values.reduce(byteCount) { $0 + $1.byteCount } }
  }

  /// The file of a name in a virtual dataset, which must lie in this one's folder or below it:
  /// whoever made this file could else have any file read.
  func source(_ name: String, of path: String) throws(FileError) -> SafeFile {
    if name == "." { return self }
    func refused(_ reason: String) -> FileError {
      .notRead(
        file: self.name, dataset: path,
        reason: "it is a virtual dataset of '\(shown(name))', \(reason)")
    }
    return try sources.withLock { sources in
      Result { () throws(FileError) in
        if let known = sources[name] { return known }
        guard !name.replacing("%%", with: "").contains("%") else {
          throw refused("a pattern of names, which is not followed")
        }
        guard sources.count < SafeFile.sourceLimit else {
          throw refused("and it has more than \(SafeFile.sourceLimit) such files")
        }
        let outside = refused("and only files in its own folder or below are read")
        guard !name.split(separator: "/").contains("..") else { throw outside }
        let folder = URL(fileURLWithPath: self.name).deletingLastPathComponent()
        let plain = name.replacing("%%", with: "%")
        // As the library does: of a whole path that is not there, the file of that name beside this
        // one.
        let place =
          if !plain.hasPrefix("/") {
            folder.appendingPathComponent(plain)
          } else if SafeFile.realPath(plain) != nil {
            URL(fileURLWithPath: plain)
          } else {
            folder.appendingPathComponent(URL(fileURLWithPath: plain).lastPathComponent)
          }
        guard let real = SafeFile.realPath(place.path), let root = SafeFile.realPath(folder.path)
        else { throw refused("which cannot be opened: \(String(cString: strerror(errno)))") }
        guard real.hasPrefix(root == "/" ? root : root + "/") else { throw outside }
        let file = try SafeFile(contentsOf: URL(fileURLWithPath: real))
        sources[name] = file
        return file
      }
    }.get()
  }

  /// A path without links; nil, with `errno`, if the file is missing.
  private static func realPath(_ path: String) -> String? {
    guard let found = realpath(path, nil) else { return nil }
    defer { free(found) }
    return String(cString: found)
  }

  /// The dataset at a path, for a virtual one, which it must not be itself.
  func dataset(at place: String, for path: String) throws(FileError) -> SafeDataset {
    let address = try address(of: .soft(place), in: rootAddress, path: path)
    let header = try ObjectHeader(self, at: address, path: shown(place))
    guard header.has(.dataspace) else {
      throw .notRead(file: name, dataset: header.path, reason: "it must be a dataset")
    }
    return try SafeDataset(header, isSource: true)
  }
}
