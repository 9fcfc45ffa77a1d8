import Support
import Synchronization

// Where soft links lead.

extension SafeFile {
  /// Groups that soft links led through, so that each is read once.
  struct Followed: ~Copyable {
    var links: [Int: [String: GroupLink]] = [:]
    /// Names that may still be read: a sound file has no more than fit.
    var room: Int
  }

  /// Where a link of the group at `group` leads, in this file.
  func address(
    of link: GroupLink, in group: Int, path: String
  ) throws(FileError) -> Int {
    var steps = 64
    return try address(of: link, in: group, path: path, &steps)
  }

  private func address(
    of link: GroupLink, in group: Int, path: String, _ steps: inout Int
  ) throws(FileError) -> Int {
    switch link {
    case .object(let address): return address
    case .other(let kind):
      throw .notRead(file: name, dataset: path, reason: "it is \(kind), and none is followed")
    case .soft(let target):
      var place = target.hasPrefix("/") ? rootAddress : group
      for part in target.split(separator: "/") where part != "." {
        steps -= 1
        guard steps > 0 else {
          throw .notRead(
            file: name, dataset: path, reason: "its soft links lead through more than 64 groups")
        }
        guard let next = try links(at: place, path: path)[String(part)] else {
          throw .notRead(
            file: name, dataset: path,
            reason: "it leads to '\(shown(target))', which is missing")
        }
        place = try address(of: next, in: place, path: path, &steps)
      }
      return place
    }
  }

  /// The names of the group at an address; none if it is a dataset.
  private func links(at address: Int, path: String) throws(FileError) -> [String: GroupLink] {
    try followed.withLock { followed in
      Result { () throws(FileError) in
        if let known = followed.links[address] { return known }
        let header = try ObjectHeader(self, at: address, path: path)
        let found = header.has(.dataspace) ? [:] : try GroupLinks(header).links
        followed.room -= 1 + header.count + found.count
        guard followed.room > 0 else {
          throw .damaged(
            file: name, dataset: path, rule: "its soft links lead through more than fits the file")
        }
        followed.links[address] = found
        return found
      }
    }.get()
  }
}
