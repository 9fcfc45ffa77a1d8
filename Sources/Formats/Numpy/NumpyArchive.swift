import Foundation
import Storage
import Support
import Synchronization

/// The arrays of a `.npz`.
struct NumpyArchive {
  /// The arrays by name, in the order of the archive.
  let arrays: [(name: String, array: NumpyArray)]
  /// The members that could not be read, as `name: why`.
  let others: [(name: String, reason: String)]
  private let url: URL

  /// Opens an archive and unpacks what is of use, on several threads.
  ///
  /// Those of `needed` must be readable. Of the others, only arrays with as many rows as `rowsOf`
  /// are unpacked, or none if that is nil; the header says how many an array has. Of what is left
  /// out it is kept why.
  init(
    _ url: URL, needed: Set<String>, rowsOf: String? = nil, _ options: FormatOptions
  ) throws(FileError) {
    self.url = url
    let archive = try ZipArchive(url)
    let members = archive.members.filter { $0.name.hasSuffix(".npy") }
    let isNeeded = members.map { needed.contains(String($0.name.dropLast(4))) }
    // Several members may name the same bytes: they unpack to no more than is allowed in all.
    var room = options.maximumBytes
    var found = try NumpyArchive.unpack(
      members.indices.filter { isNeeded[$0] }, of: members, in: archive, &room, options)
    let rows = rowsOf.flatMap { name in
      members.firstIndex { $0.name == name + ".npy" }.flatMap { found[$0]?.shape.first }
    }
    var reasons: [Int: String] = [:]
    var wanted: [Int] = []
    for index in members.indices where !isNeeded[index] {
      do throws(FileError) {
        let header = try NumpyFile.Header(
          String(members[index].name.dropLast(4)), in: url.path,
          bytes: try archive.start(of: members[index], NumpyFile.headerRoom))
        if header.shape.first == rows {
          wanted.append(index)
        } else {
          reasons[index] =
            "an array of shape \(header.shape)" + (rows == nil ? "" : ", which is not over rows")
        }
      } catch {
        // What is damaged is an error; what is of no use here is left out.
        guard case .cannotConvert(_, let reason) = error else { throw error }
        reasons[index] = reason
      }
    }
    found.merge(
      try NumpyArchive.unpack(wanted, of: members, in: archive, &room, options)
    ) { $1 }
    var known: Set<String> = []
    for (index, member) in members.enumerated() where !known.insert(member.name).inserted {
      found[index] = nil
      reasons[index] = "another member of that name"
    }
    arrays = members.enumerated().compactMap { index, member in
      found[index].map { (String(member.name.dropLast(4)), $0) }
    }
    others =
      archive.members.filter { !$0.name.hasSuffix(".npy") }.map { (shown($0.name), "no array") }
      + members.enumerated().compactMap { index, member in
        reasons[index].map { (shown(String(member.name.dropLast(4))), $0) }
      }
  }

  /// Unpacks some members; `room` is what they may still take.
  private static func unpack(
    _ wanted: [Int], of members: [ZipArchive.Member], in archive: ZipArchive, _ room: inout Int,
    _ options: FormatOptions
  ) throws(FileError) -> [Int: NumpyArray] {
    for member in wanted.map({ members[$0] }) where member.method != 0 {
      guard member.unpacked <= room else {
        throw .cannotConvert(
          archive.path,
          reason: "it unpacks to more than \(options.maximumBytes) bytes, which --max-bytes allows")
      }
      room -= member.unpacked
    }
    let found = Mutex<[Int: NumpyArray]>([:])
    try Parallel.forEach(wanted.count, threads: options.threads) { place throws(FileError) in
      let member = members[wanted[place]]
      let (bytes, owner) = try archive.contents(of: member, options)
      let array = try NumpyFile.array(
        String(member.name.dropLast(4)), in: archive.path, bytes: bytes, owner: owner)
      found.withLock { $0[wanted[place]] = array }
    }
    return found.withLock { $0 }
  }

  /// The conversions of arrays that are stored in another way.
  var conversions: [String] { arrays.compactMap(\.array.conversion) }

  /// An array by its name; nil if it is missing.
  subscript(name: String) -> NumpyArray? { arrays.first { $0.name == name }?.array }

  /// An array that must be there.
  func array(_ name: String) throws(FileError) -> NumpyArray {
    guard let array = self[name] else {
      let names = arrays.prefix(8).map { shown($0.name) }.joined(separator: ", ")
      throw .malformed(
        url.path, rule: "must have an array '\(name)'",
        found: names.isEmpty ? "no arrays" : "arrays \(names)")
    }
    return array
  }

  /// The names in an archive's directory; empty for a file that is no archive.
  static func names(in url: URL) -> [String] {
    guard firstBytes(of: url, 2) == [0x50, 0x4b], let archive = try? ZipArchive(url) else {
      return []
    }
    return archive.members.map(\.name)
  }
}
