import Foundation
import HDF5

/// Writes an HDF5 file of flat arrays, one after the other, in a part that appears whole or not at all.
final class FlatWriter {
  private struct Entry {
    let type: HDF5Type
    let shape: [Int]
    let rows: (EpisodeTable) -> TableColumn?
  }

  private let request: FormatRequest
  private let composition: HDF5Composition
  private var entries: [String: Entry] = [:]
  private var groups: Set<String> = []

  init(_ request: FormatRequest) throws(StorageError) {
    self.request = request
    composition = try reading { () throws(HDF5Error) in
      try HDF5Composition(name: request.url.path)
    }
  }

  /// Makes a group and those above it.
  func group(_ path: String) throws(StorageError) {
    var walked = ""
    for part in path.split(separator: "/") {
      walked += (walked.isEmpty ? "" : "/") + part
      guard groups.insert(walked).inserted else { continue }
      try reading { () throws(HDF5Error) in try composition.file.createGroup(walked) }
    }
  }

  /// Adds an array; `rows` gives a block's part of it.
  func add(
    _ path: String, _ column: SourceColumn, _ axis: RowAxis,
    _ rows: @escaping (EpisodeTable) -> TableColumn?
  ) throws(StorageError) {
    let source = request.source
    let count =
      switch axis {
      case .steps: source.steps
      case .states: source.steps + source.lengths.count
      case .episodes: source.lengths.count
      }
    let shape = [count] + column.rowShape
    try group(path.split(separator: "/").dropLast().joined(separator: "/"))
    try reading { () throws(HDF5Error) in
      try composition.reserve(path, column.type, shape: shape)
    }
    entries[path] = Entry(type: column.type, shape: shape, rows: rows)
  }

  /// Writes the file: of each array all blocks, so that little is in memory.
  func write() throws(StorageError) {
    let file = try PartFile(for: request.url)
    let pieces = try reading { () throws(HDF5Error) in try composition.finish() }
    var isFirst = true
    for piece in pieces {
      switch piece {
      case .bytes(let bytes): file.append(bytes)
      case .dataset(let path, let byteCount):
        guard let entry = entries[path] else { preconditionFailure("'\(path)' was not added") }
        let start = file.byteCount
        for block in request.source.blocks(byteLimit: FormatRequest.blockBytes) {
          if request.isStopped() { throw .stopped(request.url.path) }
          if let rows = entry.rows(try request.source.table(of: block)) { file.append(rows) }
          try file.check()
          if isFirst { request.progress(block.count) }
        }
        isFirst = false
        precondition(file.byteCount - start == byteCount, "'\(path)' has \(byteCount) bytes")
      }
    }
    try file.commit()
  }
}
