import Foundation
import HDF5
import Synchronization

/// The arrays of a `.npz`.
struct NumpyArchive {
  /// The arrays by name, in the order of the archive.
  let arrays: [(name: String, array: NumpyArray)]
  /// What could not be read, as `name: why`.
  let others: [(name: String, reason: String)]
  private let url: URL

  /// Opens an archive and unpacks its members, on several threads.
  ///
  /// Those of `needed` must be readable; of any other that is not, it is kept why.
  init(_ url: URL, needed: Set<String>, _ options: FormatOptions) throws(StorageError) {
    self.url = url
    let archive = try ZipArchive(url)
    let members = archive.members.filter { $0.name.hasSuffix(".npy") }
    var others = archive.members.filter { !$0.name.hasSuffix(".npy") }.map {
      (name: $0.name, reason: "no array")
    }
    // Several members may name the same bytes: they unpack to no more than is allowed in all.
    var total = 0
    for member in members {
      let (sum, overflows) = total.addingReportingOverflow(member.unpacked)
      guard !overflows, member.method == 0 || sum <= options.maximumBytes else {
        throw .cannotConvert(
          url.path,
          reason: "it unpacks to more than \(options.maximumBytes) bytes, which --max-bytes allows")
      }
      if member.method != 0 { total = sum }
    }
    let found = Mutex<[Int: Result<NumpyArray, StorageError>]>([:])
    try forEachInParallel(members.count, threads: options.threads) { index throws(StorageError) in
      let member = members[index]
      let name = String(member.name.dropLast(4))
      let result: Result<NumpyArray, StorageError>
      do throws(StorageError) {
        let (bytes, owner) = try archive.contents(of: member, options)
        result = .success(
          try NumpyFile.array(name, in: url.path, bytes: bytes, owner: owner))
      } catch {
        // What is damaged is an error; what is of no use here is left out.
        guard case .cannotConvert = error, !needed.contains(name) else { throw error }
        result = .failure(error)
      }
      found.withLock { $0[index] = result }
    }
    var arrays: [(name: String, array: NumpyArray)] = []
    let all = found.withLock { $0 }
    for (index, member) in members.enumerated() {
      let name = String(member.name.dropLast(4))
      if arrays.contains(where: { $0.name == name }) {
        others.append((name, "another member of that name"))
        continue
      }
      switch all[index] {
      case .success(let array): arrays.append((name, array))
      case .failure(.cannotConvert(_, let reason)): others.append((name, reason))
      case .failure: others.append((name, "which cannot be read"))
      case nil: break
      }
    }
    self.arrays = arrays
    self.others = others.map { (shown($0.name), $0.reason) }
  }

  /// An array by its name; nil where there is none.
  subscript(name: String) -> NumpyArray? { arrays.first { $0.name == name }?.array }

  /// An array that must be there.
  func array(_ name: String) throws(StorageError) -> NumpyArray {
    guard let array = self[name] else {
      let names = arrays.prefix(8).map { shown($0.name) }.joined(separator: ", ")
      throw .malformed(
        url.path, rule: "must have an array '\(name)'",
        found: names.isEmpty ? "no arrays" : "arrays \(names)")
    }
    return array
  }

  /// The names in an archive's directory; empty where there is none.
  static func names(in url: URL) -> [String] {
    guard firstBytes(of: url, 2) == [0x50, 0x4b], let archive = try? ZipArchive(url) else {
      return []
    }
    return archive.members.map(\.name)
  }
}
