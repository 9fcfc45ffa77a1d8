import Foundation
import GoalCore
import Glibc
import Support

/// A walk through a folder and all folders below it, in the order of their names.
///
/// A folder is entered once, by its place on the disk. Links to folders are followed at the end,
/// unless they lead to a folder that was entered or that lies around the first one. Folders below
/// the first whose names begin with a dot are left out.
struct FolderWalk {
  /// A folder that was entered.
  struct Place {
    /// Its path, which begins as the first folder's does.
    let path: String
    /// The place of the folder around it; nil for the first folder and for one behind a link.
    let parent: Int?
    /// Bytes of all regular files in it and in the folders below that were entered.
    fileprivate(set) var bytes: Int
  }

  /// A folder's place on the disk.
  private struct Identity: Hashable {
    let device: UInt64
    let inode: UInt64

    init(_ status: stat) {
      device = UInt64(status.st_dev)
      inode = UInt64(status.st_ino)
    }
  }

  /// All folders that were entered, each after the one around it.
  private(set) var places: [Place] = []
  /// The sentences of what could not be read.
  private(set) var faults: [String] = []
  /// Folders that were left out as their names begin with a dot.
  private(set) var hidden = 0
  /// Links to folders that were not followed.
  private(set) var linksLeft = 0

  private var seen: Set<Identity> = []
  private var links: [String] = []

  /// Walks; `visit` gets the place of each folder and the names in it, before those of the folders
  /// below.
  init(_ folder: String, visit: (Place, _ number: Int, _ names: Set<String>) -> Void) {
    if let whole = realpath(folder, nil) {
      var around = URL(fileURLWithPath: String(cString: whole))
      free(whole)
      while around.path != "/" {
        around.deleteLastPathComponent()
        if let status = FolderWalk.status(of: around.path) { seen.insert(Identity(status)) }
      }
    }
    var first = folder
    while first.count > 1, first.hasSuffix("/") { first.removeLast() }
    links = [first]
    var next = 0
    while next < links.count {
      defer { next += 1 }
      guard let status = FolderWalk.status(of: links[next]) else { continue }
      guard seen.insert(Identity(status)).inserted else {
        linksLeft += 1
        continue
      }
      walk(from: links[next], visit)
    }
    for place in places.indices.reversed() {
      guard let parent = places[place].parent else { continue }
      places[parent].bytes = [places[parent].bytes, places[place].bytes].clampedSum
    }
  }

  private mutating func walk(
    from root: String, _ visit: (Place, _ number: Int, _ names: Set<String>) -> Void
  ) {
    var stack: [(path: String, parent: Int?)] = [(root, nil)]
    while let (path, parent) = stack.popLast() {
      let names: [String]
      do { names = try FileManager.default.contentsOfDirectory(atPath: path).sorted() } catch {
        faults.append("\(path): cannot be read: \(systemReason(of: error))")
        continue
      }
      let number = places.count
      places.append(Place(path: path, parent: parent, bytes: 0))
      var sizes: [Int] = []
      var folders: [String] = []
      for name in names {
        let inner =
          path == "." ? name : path.hasSuffix("/") ? path + name : path + "/" + name
        guard let own = FolderWalk.status(of: inner, following: false) else {
          faults.append("\(inner): cannot be read: \(systemReason())")
          continue
        }
        let isLink = own.st_mode & S_IFMT == S_IFLNK
        // A link that leads nowhere is no folder and no file.
        guard let status = isLink ? FolderWalk.status(of: inner) : own else { continue }
        switch status.st_mode & S_IFMT {
        case S_IFREG: sizes.append(Int(status.st_size))
        case S_IFDIR where name.hasPrefix("."): hidden += 1
        case S_IFDIR where isLink: links.append(inner)
        case S_IFDIR where seen.insert(Identity(status)).inserted: folders.append(inner)
        default: break
        }
      }
      places[number].bytes = sizes.clampedSum
      visit(places[number], number, Set(names))
      stack += folders.reversed().map { ($0, number) }
    }
  }

  private static func status(of path: String, following: Bool = true) -> stat? {
    var status = stat()
    let code = following ? stat(path, &status) : lstat(path, &status)
    return code == 0 ? status : nil
  }
}
