import Foundation
import GoalCore
import Storage
import Support

/// A LeRobot dataset of version 3, a folder of Parquet files.
///
///     meta/info.json                              fps, features (name, dtype, shape), totals
///     meta/episodes/chunk-000/file-000.parquet    length and place of each episode
///     meta/tasks.parquet, meta/stats.json
///     data/chunk-000/file-000.parquet             a row for each step: observation.state, action,
///                                                 next.reward, next.success, next.done, ...
///     goalpost/...                                columns that LeRobot has no place for
///
/// A row has the state before its action. LeRobot stores no state after the last one, so an
/// episode's last row is its last state and the action there leads nowhere, unless the folder
/// `goalpost` says where.
///
/// Pictures and films are left out. `observation.achieved_goal` and `observation.desired_goal` are
/// goals; other numbers are extras, named as they are with a dot for each slash. The first task's
/// text is the world's name.
///
/// Source: huggingface/lerobot at 7427f31, `datasets/utils.py`, `dataset_metadata.py`,
/// `dataset_writer.py`.
struct LeRobot: DatasetFormat {
  let name = "lerobot"
  let summary = "LeRobot's folder of Parquet files, version 3"

  /// The folder of columns that LeRobot has no place for.
  static let rest = "goalpost"

  let joinsKeys = true

  func recognizes(_ url: URL) -> Bool {
    FileManager.default.fileExists(atPath: url.appendingPathComponent("meta/info.json").path)
  }

  func isMeant(by output: URL) -> Bool { false }

  func files(of url: URL) throws(FileError) -> [URL] {
    let own = ["steps", "states", "episodes"].map { LeRobot.rest + "/" + $0 }
    let world = url.appendingPathComponent(LeRobot.rest + "/world.json")
    return [url.appendingPathComponent("meta/info.json")]
      + (FileManager.default.fileExists(atPath: world.path) ? [world] : [])
      + (["meta/episodes", "data"] + own).flatMap {
        LeRobot.parquetFiles(in: url.appendingPathComponent($0))
      }
  }

  /// The Parquet files of a folder's chunks, in order.
  static func parquetFiles(in folder: URL) -> [URL] {
    let files = FileManager.default
    let chunks = (try? files.contentsOfDirectory(atPath: folder.path)) ?? []
    return chunks.filter { $0.hasPrefix("chunk-") }.sorted().flatMap { chunk -> [URL] in
      let inner = folder.appendingPathComponent(chunk)
      let names = (try? files.contentsOfDirectory(atPath: inner.path)) ?? []
      return names.filter { $0.hasPrefix("file-") && $0.hasSuffix(".parquet") }.sorted()
        .map { inner.appendingPathComponent($0) }
    }
  }

  func open(_ url: URL, _ options: FormatOptions) throws(FileError) -> any TrajectorySource {
    try LeRobotEpisodes(url, options)
  }

  func write(_ request: FormatRequest) throws(FileError) -> ConversionNotes {
    let folder = try PartFolder(for: request.url)
    var writing = try LeRobotWriting(request, to: folder.url)
    try writing.write()
    try folder.commit()
    return writing.notes
  }
}
