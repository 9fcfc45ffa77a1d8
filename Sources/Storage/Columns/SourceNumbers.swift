import HDF5
public import Support
import Synchronization

/// The report on a source's numbers: which are not finite, and the range of its actions.
public struct SourceNumbers: Sendable {
  /// Numbers of a column that are not finite.
  public struct NotFinite: Sendable, Equatable {
    /// How many.
    public internal(set) var count = 0
    /// The episode of the first.
    public internal(set) var episode = Int.max
    /// The row of the first within its episode.
    public internal(set) var row = 0
    /// The first.
    public internal(set) var value = 0.0
  }

  /// Those of each column of floats that has some.
  public private(set) var notFinite: [String: NotFinite] = [:]
  /// The episodes that have some, ascending.
  public private(set) var episodes: [Int] = []
  /// The lowest and the highest finite value of each number of an action; infinite, the wrong way
  /// round, without such values.
  public private(set) var actions: [(low: Double, high: Double)] = []

  /// Reads a source on several threads.
  init(_ source: any TrajectorySource, threads: Int) throws(FileError) {
    let path = ShardColumn.actions.rawValue
    let floats = source.columns.filter { $0.value.type == .float32 || $0.value.type == .float64 }
    let wanted = Set(floats.keys).union([path])
    let blocks = source.blocks(byteLimit: 16_000_000)
    let all = Mutex((notFinite: [String: NotFinite](), episodes: Set<Int>(), actions: actions))
    try Parallel.forEach(blocks.count, threads: threads) { index throws(FileError) in
      let block = blocks[index]
      let table = try source.table(of: block, only: wanted)
      var (found, episodes) = ([String: NotFinite](), Set<Int>())
      for name in floats.keys {
        guard let column = table[name] else { continue }
        let starts = table.starts(on: column.axis)
        for (place, value) in SourceNumbers.notFinite(in: column) {
          let row = place / column.width
          let episode = starts.partitioningIndex { $0 > row } - 1
          var entry = found[name] ?? NotFinite()
          if entry.count == 0 {
            entry.episode = block.lowerBound + episode
            entry.row = row - starts[episode]
            entry.value = value
          }
          entry.count += 1
          found[name] = entry
          episodes.insert(block.lowerBound + episode)
        }
      }
      let range = table[path].map(SourceNumbers.range) ?? []
      let (foundHere, episodesHere) = (found, episodes)
      all.withLock { all in
        for (name, entry) in foundHere {
          guard var known = all.notFinite[name] else {
            all.notFinite[name] = entry
            continue
          }
          let count = known.count + entry.count
          if entry.episode < known.episode { known = entry }
          known.count = count
          all.notFinite[name] = known
        }
        all.episodes.formUnion(episodesHere)
        all.actions =
          all.actions.isEmpty
          ? range : zip(all.actions, range).map { (min($0.low, $1.low), max($0.high, $1.high)) }
      }
    }
    (notFinite, episodes, actions) = all.withLock {
      ($0.notFinite, $0.episodes.sorted(), $0.actions)
    }
  }

  /// The places and values of what is not finite in a column of floats.
  private static func notFinite(in column: TableColumn) -> [(place: Int, value: Double)] {
    column.withBytes { bytes in
      var found: [(place: Int, value: Double)] = []
      if column.type == .float32 {
        for place in 0..<(bytes.count / 4) {
          let word = bytes.loadUnaligned(fromByteOffset: place &* 4, as: UInt32.self)
          if word & 0x7f80_0000 == 0x7f80_0000 {
            found.append((place, Double(Float(bitPattern: word))))
          }
        }
      } else {
        for place in 0..<(bytes.count / 8) {
          let word = bytes.loadUnaligned(fromByteOffset: place &* 8, as: UInt64.self)
          if word & 0x7ff0_0000_0000_0000 == 0x7ff0_0000_0000_0000 {
            found.append((place, Double(bitPattern: word)))
          }
        }
      }
      return found
    }
  }

  /// The range of each number of some actions.
  private static func range(_ actions: TableColumn) -> [(low: Double, high: Double)] {
    let width = actions.width
    var range = [(low: Double, high: Double)](repeating: (.infinity, -.infinity), count: width)
    for start in stride(from: 0, to: actions.rows, by: 4096) {
      let values = actions.doubles(start..<min(start + 4096, actions.rows))
      for (place, value) in values.enumerated() where value.isFinite {
        let k = place % width
        if value < range[k].low { range[k].low = value }
        if value > range[k].high { range[k].high = value }
      }
    }
    return range
  }

  /// How many actions have a number outside of a range, and the first of them, found by reading
  /// them again.
  public static func outside(
    _ range: [(low: Float, high: Float)], _ source: any TrajectorySource
  ) throws(FileError) -> (count: Int, episode: Int, step: Int, value: Float)? {
    var found: (count: Int, episode: Int, step: Int, value: Float)?
    for block in source.blocks(byteLimit: 16_000_000) {
      let table = try source.table(of: block, only: [ShardColumn.actions.rawValue])
      guard let actions = table[.actions], actions.width == range.count else { continue }
      let starts = table.starts(on: .steps)
      let values = actions.floats()
      for row in 0..<actions.rows {
        let numbers = values[(row * range.count)..<((row + 1) * range.count)]
        let other = zip(numbers, range).first { $0.isFinite && !($1.low...$1.high ~= $0) }
        guard let other else { continue }
        let episode = starts.partitioningIndex { $0 > row } - 1
        if found == nil {
          found = (0, block.lowerBound + episode, row - starts[episode], other.0)
        }
        found?.count += 1
      }
    }
    return found
  }
}

extension Array {
  /// The first place, of an array in which all that do not meet a condition stand before all that
  /// do, that meets it.
  func partitioningIndex(where meets: (Element) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if meets(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
