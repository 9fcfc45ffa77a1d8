import Foundation
import Support

/// Where things lie in a dataset's folder.
struct DatasetFolder: Sendable {
  let url: URL

  var manifest: URL { url.appendingPathComponent("manifest.json") }
  var shards: URL { url.appendingPathComponent("shards") }
  /// The identity of the dataset in the making, written before the first shard.
  var collection: URL { shards.appendingPathComponent("collection.json") }
  var collectionLock: URL { shards.appendingPathComponent("collection.lock") }

  static func name(_ index: Int) -> String {
    let digits = String(index)
    return "shard-" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
  }

  /// A shard's file, seen from the folder.
  static func file(_ index: Int) -> String { "shards/\(name(index)).h5" }
  func shard(_ index: Int) -> URL { url.appendingPathComponent(DatasetFolder.file(index)) }
  func record(_ index: Int) -> URL {
    shards.appendingPathComponent("\(DatasetFolder.name(index)).json")
  }
  func lock(_ index: Int) -> URL {
    shards.appendingPathComponent("\(DatasetFolder.name(index)).lock")
  }

  /// Throws unless the folder is absent, empty, or a dataset's.
  func checkIsOurs() throws(FileError) {
    let files = FileManager.default
    var isFolder: ObjCBool = false
    guard files.fileExists(atPath: url.path, isDirectory: &isFolder) else { return }
    guard isFolder.boolValue else {
      throw .cannotWrite(url.path, reason: "it is a file, and must be a folder")
    }
    for mark in [manifest, collection, url.appendingPathComponent("recipe.yaml")]
    where files.fileExists(atPath: mark.path) { return }
    for name in try names(in: url) {
      switch name {
      case "README.md", ".gitignore": continue
      case "shards":
        // A collector that was killed before its first file leaves parts and locks only.
        for inner in try names(in: shards)
        where !inner.hasSuffix(".part") && !inner.hasSuffix(".lock") {
          throw .foreignFolder(url.path, entry: "shards/" + inner)
        }
      default: throw .foreignFolder(url.path, entry: name)
      }
    }
  }

  func create() throws(FileError) {
    do {
      try FileManager.default.createDirectory(at: shards, withIntermediateDirectories: true)
    } catch {
      throw .cannotWrite(shards.path, reason: systemReason(of: error))
    }
  }

  private func names(in folder: URL) throws(FileError) -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    } catch {
      throw .cannotRead(folder.path, reason: systemReason(of: error))
    }
  }
}

/// The bytes of a file; nil if it is missing.
func byteCount(of url: URL) -> Int? {
  var status = stat()
  return stat(url.path, &status) == 0 ? Int(status.st_size) : nil
}

/// Checks that a shard's file is the listed one: its size, and its digest if `deep`.
func checkFile(_ url: URL, is entry: ShardEntry, deep: Bool) throws(FileError) {
  guard let found = byteCount(of: url) else { throw .missing(url.path) }
  guard found == entry.bytes else {
    throw .wrongSize(url.path, expected: entry.bytes, found: found)
  }
  if deep { try entry.check(try Digest.sha256(ofFile: url), of: url) }
}

extension ShardEntry {
  /// Checks that a file's digest is the listed one.
  func check(_ digest: String, of url: URL) throws(FileError) {
    guard digest == sha256 else { throw .altered(url.path, expected: sha256, found: digest) }
  }
}
