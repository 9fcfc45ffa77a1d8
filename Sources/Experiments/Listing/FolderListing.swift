import Foundation
public import Reporting
import Support

/// The datasets, runs, checkpoints and studies in a folder and below it.
///
/// Only manifests, records, configurations and the heads of policies are read, no shards and no
/// weights; each folder is entered once.
public struct FolderListing: Encodable, Sendable {
  /// The folder.
  public let folder: String
  /// What was found, each folder before those in it.
  public private(set) var entries: [ListedEntry]
  /// What was left out and what is damaged, a sentence each.
  public private(set) var notes: [String]

  /// Looks through a folder; throws `FileError` if it is not there or no folder.
  public static func run(_ folder: String) throws -> FolderListing {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) else {
      throw FileError.missing(folder)
    }
    guard isFolder.boolValue else {
      throw FileError.malformed(
        folder, rule: "must be a folder", found: "a file: see `goalpost inspect`")
    }
    return FolderListing(folder)
  }

  private init(_ folder: String) {
    var found: [(entry: ListedEntry, place: Int)] = []
    var runs: [Int: String] = [:]  // paths by the number of their folder
    var above: [Int: Int] = [:]
    let walk = FolderWalk(folder) { place, number, names in
      above[number] = place.parent
      if let run = ListedEntry.run(at: place.path, names) {
        runs[number] = place.path
        found.append((run, number))
      }
      if let dataset = ListedEntry.dataset(at: place.path, names) {
        var dataset = dataset
        if let run = place.parent.flatMap({ runs[$0] }) {
          dataset.lineage.insert(ListedEntry.Parent("run", run, path: run), at: 0)
        }
        found.append((dataset, number))
      }
      if names.contains("policy.safetensors") {
        let run = place.parent.flatMap { above[$0] }.flatMap { runs[$0] }
        found.append((ListedEntry.checkpoint(at: place.path, names, run: run), number))
      }
      if let study = ListedEntry.study(at: place.path, names) { found.append((study, number)) }
    }
    self.folder = folder
    entries = found.map { entry, number in
      var entry = entry
      entry.bytes = walk.places[number].bytes
      return entry
    }
    notes = walk.faults
    if walk.hidden > 0 {
      notes.append(
        "folders whose names begin with a dot are not looked into: \(walk.hidden) left out")
    }
    if walk.linksLeft > 0 {
      notes.append(
        "links to folders that are listed already, or lie around \(folder), are not followed: "
          + "\(walk.linksLeft) left out")
    }
    connect()
    notes += entries.compactMap(\.fault)
  }

  /// Finds what entries were made from among the others.
  private mutating func connect() {
    let datasets = Dictionary(
      entries.compactMap { entry in entry.sha256.map { ($0, entry) } },
      uniquingKeysWith: { first, _ in first })
    var worlds: [String: String] = [:]  // of runs, by their checkpoints
    for entry in entries where entry.kind == .checkpoint {
      for parent in entry.lineage where parent.relation == "run" {
        worlds[parent.name] = entry.environment
      }
    }
    for place in entries.indices {
      for parent in entries[place].lineage.indices {
        let found = entries[place].lineage[parent]
        guard found.path == nil, let digest = found.sha256 else { continue }
        entries[place].lineage[parent].path = datasets[digest]?.path
      }
      if entries[place].kind == .run, entries[place].environment == nil {
        entries[place].environment =
          worlds[entries[place].path]
          ?? entries[place].lineage.lazy.compactMap { datasets[$0.sha256 ?? ""] }.first?.environment
      }
    }
  }

  /// The table for people and programs; a line if nothing was found.
  public func text(_ format: TableFormat) -> String {
    if entries.isEmpty, format == .text {
      return "\(Console.onOneLine(folder)): no dataset, run, checkpoint or study was found\n"
    }
    var table = Table([
      "path", "kind", "about", "size", "episodes", "updates", "state", "lineage",
    ])
    table.rows = entries.map { entry in
      [
        entry.path, entry.kind.rawValue, entry.about, ByteCount(bytes: entry.bytes),
        entry.episodes.map(GroupedCount.init), entry.updates.map(GroupedCount.init),
        entry.stateText, LineageText(parents: entry.lineage),
      ]
    }
    return table.rendered(as: format)
  }
}
