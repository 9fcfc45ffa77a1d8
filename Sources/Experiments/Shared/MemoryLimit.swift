import Foundation
import GoalCore
import Storage

/// How much memory there is for this process, and whether datasets fit that have to be decoded.
enum MemoryLimit {
  /// Bytes of memory: the machine's, or what the process's control group allows.
  static var bytes: Int {
    let machine = Int(clamping: ProcessInfo.processInfo.physicalMemory)
    return groupFiles.compactMap { file in
      (try? String(contentsOfFile: file, encoding: .utf8)).flatMap {
        Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
      }
    }.reduce(machine, min)
  }

  /// Where the limits of the process's control group would stand, of either version.
  private static var groupFiles: [String] {
    let groups = (try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)) ?? ""
    return groups.split(separator: "\n").flatMap { line -> [String] in
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { return [] }
      if parts[1].isEmpty {
        return ["\(parts[2])/memory.max", "/memory.max"].map { "/sys/fs/cgroup" + $0 }
      }
      guard parts[1].split(separator: ",").contains("memory") else { return [] }
      return ["\(parts[2])/memory.limit_in_bytes", "/memory.limit_in_bytes"].map {
        "/sys/fs/cgroup/memory" + $0
      }
    }
  }

  /// Whether the files of datasets take more than half of `limit` bytes, so that not all of them
  /// will stay in memory.
  static func isExceeded(by datasets: [Dataset], limit: Int = bytes) -> Bool {
    datasets.flatMap { $0.manifest.shards.map(\.bytes) }.clampedSum > limit / 2
  }

  /// Whether `byteCount` is at most 1/16 of `limit`, so that several concurrent runs can each
  /// afford their own copy.
  static func allowsCopy(of byteCount: Int, limit: Int = bytes) -> Bool { byteCount <= limit / 16 }

  /// Throws if the compressed columns of datasets would take more than half of `limit` bytes.
  static func checkFits(_ datasets: [Dataset], limit: Int = bytes) throws {
    for dataset in datasets {
      let needed = try dataset.manifest.decodedBytes()
      if needed > limit / 2 {
        throw ExperimentError.tooLargeToDecode(
          path: dataset.folder.relativePath, bytes: needed, limit: limit)
      }
    }
  }
}
