import Foundation
import GoalCore
import HDF5
import Storage
import Support

@testable import Formats

/// Text with a line for each state: the episode, the observation, and the action taken there.
///
///     episode,o0,o1,...,a0,a1,...
///
/// The last line of an episode has an action too, which leads to no state and is lost.
///
/// Source: the log of github.com/owner/name at 0123456, `log.py`.
struct CSVRows: DatasetFormat {
  let name = "csv"
  let summary = "text with a line for each state: episode, o0, o1, ..., a0, a1, ..."
  let isReadOnly = true

  func recognizes(_ url: URL) -> Bool { firstBytes(of: url, 8) == Array("episode,".utf8) }

  func isMeant(by output: URL) -> Bool { false }

  func open(_ url: URL, _ options: FormatOptions) throws(FileError) -> any TrajectorySource {
    try CSVEpisodes(url)
  }
}

/// The episodes of such a text, all in memory: 1 GiB of text at most.
private struct CSVEpisodes: TrajectorySource {
  private(set) var lengths: [Int] = []
  let columns: [String: SourceColumn]
  let environment: String? = nil
  private(set) var notes = ConversionNotes()
  private var observations: [Float] = []  // [T + E, O]
  private var actions: [Float] = []  // [T, A]
  private let widths: (observation: Int, action: Int)

  init(_ url: URL) throws(FileError) {
    let text = String(decoding: try WholeFile.read(url), as: UTF8.self)
    let lines = text.split(whereSeparator: \.isNewline)
    let names = (lines.first ?? "").split(separator: ",")
    widths = (names.count { $0.hasPrefix("o") }, names.count { $0.hasPrefix("a") })
    let width = 1 + widths.observation + widths.action
    guard widths.observation > 0, widths.action > 0, names.count == width else {
      throw .malformed(
        url.path, rule: "its first line must be episode,o0,...,a0,...",
        found: shown(String(lines.first ?? "")))
    }
    columns = [
      ShardColumn.observations.rawValue: SourceColumn(
        .float32, rowShape: [widths.observation], axis: .states),
      ShardColumn.actions.rawValue: SourceColumn(
        .float32, rowShape: [widths.action], axis: .steps),
    ]
    var episode: Substring?
    for (number, line) in lines.enumerated().dropFirst() {
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      let numbers = fields.dropFirst().compactMap { Float($0) }
      guard numbers.count == width - 1, fields.count == width else {
        throw .malformed(
          url.path, rule: "line \(number + 1) must have \(width) numbers",
          found: shown(String(line)))
      }
      if fields[0] == episode {
        lengths[lengths.count - 1] += 1
      } else {
        try finish(url)
        lengths.append(0)
        episode = fields[0]
      }
      observations += numbers[..<widths.observation]
      actions += numbers[widths.observation...]
    }
    try finish(url)
    guard !lengths.isEmpty else { throw .cannotConvert(url.path, reason: "it has no episodes") }
    notes.lost.append("the action of each episode's last line, which leads to no state")
  }

  /// Drops the action of the last episode's last state.
  private mutating func finish(_ url: URL) throws(FileError) {
    guard let steps = lengths.last else { return }
    guard steps > 0 else {
      throw .cannotConvert(url.path, reason: "episode \(lengths.count) has one line, so no step")
    }
    actions.removeLast(widths.action)
  }

  func table(
    of episodes: Range<Int>, only columns: Set<String>?
  ) throws(FileError) -> TrajectoryTable {
    var table = TrajectoryTable(
      indices: episodes.map { Int64($0) }, lengths: Array(lengths[episodes]))
    let step = lengths[..<episodes.lowerBound].reduce(0, +)
    let state = step + episodes.lowerBound
    table[.observations] = TableColumn(
      .float32, rowShape: [widths.observation], axis: .states,
      part(observations, widths.observation, state, table.steps + table.episodes))
    table[.actions] = TableColumn(
      .float32, rowShape: [widths.action], axis: .steps,
      part(actions, widths.action, step, table.steps))
    return table
  }

  private func part(_ values: [Float], _ width: Int, _ row: Int, _ count: Int) -> [Float] {
    Array(values[row * width..<(row + count) * width])
  }
}
