public import Foundation
import GoalCore
public import Support

/// A dataset's folder as its small files describe it, begun or finished, and how much of it is
/// there.
///
/// No shard is read: the sizes of their files are compared with the listed ones, their digests are
/// not.
public struct DatasetOutline: Sendable {
  /// All that decides the dataset's bytes.
  public let identity: DatasetIdentity
  /// The manifest's own SHA-256; nil if the dataset is not finished.
  public let sha256: String?
  /// Episodes in the shards that are there.
  public let episodes: Int
  /// Episodes that the dataset is to have; nil if that is not known before it is finished.
  public let expected: Int?
  /// The first shard's fault; nil if each is missing or has its size.
  public let fault: FileError?

  /// Reads the manifest, or, before it is there, the identity and the records of the shards; nil if
  /// the folder holds no dataset.
  ///
  /// - Throws: `malformed`, `altered`, `unknownSchema` or `cannotRead` for one of these files.
  public init?(at folder: URL) throws(FileError) {
    let place = DatasetFolder(url: folder)
    let files = FileManager.default
    if files.fileExists(atPath: place.manifest.path) {
      let (manifest, seal) = try DigestedJSON.read(
        Manifest.self, from: place.manifest, schema: Manifest.schema)
      self.init(
        manifest.identity, sha256: seal, manifest.shards, expected: manifest.totals.episodes,
        in: place)
    } else if files.fileExists(atPath: place.collection.path) {
      let identity = try DigestedJSON.read(
        DatasetIdentity.self, from: place.collection, schema: Manifest.schema
      ).value
      let names: [String]
      do { names = try files.contentsOfDirectory(atPath: place.shards.path) } catch {
        throw .cannotRead(place.shards.path, reason: systemReason(of: error))
      }
      var shards: [ShardEntry] = []
      for name in names.sorted() where name.hasPrefix("shard-") && name.hasSuffix(".json") {
        let record = place.shards.appendingPathComponent(name)
        shards.append(
          try DigestedJSON.read(ShardRecord.self, from: record, schema: Manifest.schema).value.shard
        )
      }
      let expected: Int? =
        switch identity.origin {
        case .collected(let recipe): recipe.onlyEpisodes?.count ?? recipe.episodes
        case .mixed(let mixture): mixture.inputs.map(\.episodes).clampedSum
        case .converted: nil
        }
      self.init(identity, sha256: nil, shards, expected: expected, in: place)
    } else {
      return nil
    }
  }

  private init(
    _ identity: DatasetIdentity, sha256: String?, _ shards: [ShardEntry], expected: Int?,
    in place: DatasetFolder
  ) {
    var episodes: [Int] = []
    var fault: FileError?
    for shard in shards {
      do throws(FileError) {
        try checkFile(place.shard(shard.index), is: shard, deep: false)
        episodes.append(shard.episodes.count)
      } catch .missing {
        continue
      } catch {
        fault = fault ?? error
      }
    }
    self.identity = identity
    self.sha256 = sha256
    self.episodes = episodes.clampedSum
    self.expected = expected
    self.fault = fault
  }
}
