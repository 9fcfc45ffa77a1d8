import GoalCore
import MuJoCo

/// A maze of square cells, as OGBench's worlds have it: its map, its tasks and the way through it.
///
/// Cell (i, j) is row i and column j; its middle is at x = 4 j − 4, y = 4 i − 4, in metres, and it
/// is 4 m wide.
///
/// Source: github.com/seohongpark/ogbench 1.2.2, `ogbench/locomaze/maze.py`.
struct Maze: Sendable {
  /// A cell by row and column.
  struct Cell: Sendable, Hashable {
    let i, j: Int
  }

  /// The maze's name, such as `medium`.
  let name: String
  /// Rows of the map: `#` is a wall, a dot is free; in `teleport` `o` is a way in and `x` a way
  /// out, both free.
  let map: [String]
  /// Where each task starts and where its goal is.
  let tasks: [(start: Cell, goal: Cell)]
  /// Steps of an episode of `navigate`.
  let navigationSteps: Int

  private let walls: [[Bool]]
  /// The free cells, row by row.
  let free: [Cell]
  /// Free cells that are not the middle of a straight corridor.
  let vertices: [Cell]
  /// Cells that whoever comes near is moved away from.
  let entries: [Cell]
  /// Where they are moved to.
  let exits: [Cell]

  /// A cell's width, m.
  static let unit = 4.0

  init(
    _ name: String, _ map: [String], tasks: [((Int, Int), (Int, Int))],
    navigationSteps: Int = 1000
  ) {
    self.name = name
    self.map = map
    self.tasks = tasks.map { (Cell(i: $0.0, j: $0.1), Cell(i: $1.0, j: $1.1)) }
    self.navigationSteps = navigationSteps
    walls = map.map { $0.map { $0 == "#" } }
    func cells(_ isTaken: (Character) -> Bool) -> [Cell] {
      map.enumerated().flatMap { i, row in
        row.enumerated().compactMap { isTaken($1) ? Cell(i: i, j: $0) : nil }
      }
    }
    free = cells { $0 != "#" }
    entries = cells { $0 == "o" }
    exits = cells { $0 == "x" }
    let walls = walls
    vertices = free.filter { cell in
      let (up, down) = (walls[cell.i - 1][cell.j], walls[cell.i + 1][cell.j])
      let (left, right) = (walls[cell.i][cell.j - 1], walls[cell.i][cell.j + 1])
      let isCorridor = !up && !down && left && right || up && down && !left && !right
      return !isCorridor
    }
  }

  /// Whether a cell is a wall, or outside of the map.
  func isWall(_ cell: Cell) -> Bool {
    !(walls.indices ~= cell.i && walls[cell.i].indices ~= cell.j) || walls[cell.i][cell.j]
  }

  /// The middle of a cell, m.
  static func middle(of cell: Cell) -> SIMD2<Double> {
    SIMD2(Double(cell.j), Double(cell.i)) * unit - 4
  }

  /// The cell of a place; one that is beyond the map's low sides belongs to the first row or
  /// column.
  static func cell(at place: SIMD2<Double>) -> Cell {
    let numbers = (place + 4 + 0.5 * unit) / unit
    return Cell(i: whole(numbers.y), j: whole(numbers.x))
  }

  /// A number without its fraction; what no map reaches counts as its end.
  private static func whole(_ number: Double) -> Int {
    number.isFinite ? Int(number.clamped(from: 0, to: 1e6)) : 0
  }

  /// The free neighbours of a cell: above, left, below, right.
  private func neighbours(of cell: Cell) -> [Cell] {
    [(-1, 0), (0, -1), (1, 0), (0, 1)].map { Cell(i: cell.i + $0, j: cell.j + $1) }
      .filter { !isWall($0) }
  }

  /// How many cells the way from each cell to this one has, by breadth-first search; cells without
  /// a way are left out.
  func distances(to goal: Cell) -> [Cell: Int] {
    var found = [goal: 0]
    var queue = [goal]
    var next = 0
    while next < queue.count {
      let cell = queue[next]
      next += 1
      for neighbour in neighbours(of: cell) where found[neighbour] == nil {
        found[neighbour] = (found[cell] ?? 0) + 1
        queue.append(neighbour)
      }
    }
    return found
  }

  /// The cells that are exactly `steps` away, in the order in which a breadth-first search meets
  /// them.
  func cells(_ steps: Int, from cell: Cell) -> [Cell] {
    var ring = [cell]
    var seen: Set = [cell]
    for _ in 0..<steps {
      ring = ring.flatMap { neighbours(of: $0).filter { seen.insert($0).inserted } }
    }
    return ring
  }

  /// The neighbour that is nearer to where the distances lead, the first of several; the cell
  /// itself if none is.
  func next(from cell: Cell, by distances: [Cell: Int]) -> Cell {
    neighbours(of: cell).reduce(cell) {
      // Without a way a cell counts as −1, as in the source.
      distances[$1] ?? -1 < distances[$0] ?? -1 ? $1 : $0
    }
  }

  /// Whether a disc may touch a wall: all that is nearer than its radius and a micrometre counts.
  func mayTouch(_ place: SIMD2<Double>, radius: Double) -> Bool {
    let cell = Maze.cell(at: place)
    let reach = (radius + 1e-6) * (radius + 1e-6)
    for i in cell.i - 1...cell.i + 1 {
      for j in cell.j - 1...cell.j + 1 where isWall(Cell(i: i, j: j)) {
        let way = place - Maze.middle(of: Cell(i: i, j: j))
        let x = max(abs(way.x) - 0.5 * Maze.unit, 0)
        let y = max(abs(way.y) - 0.5 * Maze.unit, 0)
        if x * x + y * y <= reach { return true }
      }
    }
    return false
  }

  /// A body's MJCF with a box of 4 × 4 × 2 m for each wall, and its floor under all of them; throws
  /// `EnvironmentError.otherModel` if the text is not as in the wheel.
  func model(of body: String, file: String) throws -> String {
    let (height, width) = (map.count, map[0].count)
    let floor =
      "pos=\"\(2 * (width - 3)) \(2 * (height - 3)) 0\" size=\"\(2 * width) \(2 * height) 0.2\""
    let boxes = map.indices.flatMap { i in
      map[i].indices.enumerated().compactMap { j, _ -> String? in
        let cell = Cell(i: i, j: j)
        guard isWall(cell) else { return nil }
        let middle = Maze.middle(of: cell)
        return "<geom name=\"block_\(i)_\(j)\" pos=\"\(middle.x) \(middle.y) 1.0\" "
          + "size=\"2.0 2.0 1.0\" type=\"box\" contype=\"1\" conaffinity=\"1\" material=\"wall\"/>"
      }
    }
    var text = body
    for (old, new) in [
      ("pos=\"0 0 0\" size=\"100 100 .2\"", floor),
      ("</worldbody>", boxes.joined(separator: "\n") + "</worldbody>"),
    ] {
      guard text.split(separator: old, omittingEmptySubsequences: false).count == 2 else {
        throw EnvironmentError.otherModel(name: file, lacks: old)
      }
      text.replace(old, with: new)
    }
    return text
  }
}

extension Maze {
  /// The world's tasks, by number.
  var evaluationTasks: [EvaluationTask] {
    tasks.enumerated().map { place, task in
      EvaluationTask(
        number: place + 1,
        summary:
          "from cell (\(task.start.i), \(task.start.j)) to cell (\(task.goal.i), \(task.goal.j))")
    }
  }

  /// How data of the maze start and are asked for, by the names that OGBench's datasets have.
  enum Law: String, CaseIterable {
    case navigate, stitch
  }

  /// Cells between start and goal in `stitch`.
  static let stitchCells = 4

  /// The laws of the maze's data.
  var laws: [DataLaw] {
    Law.allCases.map { law in
      switch law {
      case .navigate:
        DataLaw(
          name: law.rawValue,
          summary:
            "from any cell to cells that are not straight corridors, another each time one is reached",
          steps: navigationSteps, movesGoals: true)
      case .stitch:
        DataLaw(
          name: law.rawValue,
          summary: "from any cell to a cell \(Maze.stitchCells) cells away, and staying there",
          steps: 200, movesGoals: false)
      }
    }
  }

  /// Four free rooms and corridors, 8 × 8 cells.
  static let medium = Maze(
    "medium",
    [
      "########",
      "#..##..#",
      "#..#...#",
      "##...###",
      "#..#...#",
      "#.#..#.#",
      "#...#..#",
      "########",
    ],
    tasks: [
      ((1, 1), (6, 6)), ((6, 1), (1, 6)), ((5, 3), (4, 2)), ((6, 5), (6, 1)), ((2, 6), (1, 1)),
    ])

  /// 9 × 12 cells.
  static let large = Maze(
    "large",
    [
      "############",
      "#....#.....#",
      "#.##.#.#.#.#",
      "#......#...#",
      "#.####.###.#",
      "#..#.#.....#",
      "##.#.#.#.###",
      "#..#...#...#",
      "############",
    ],
    tasks: [
      ((1, 1), (7, 10)), ((5, 4), (7, 1)), ((7, 4), (1, 10)), ((3, 8), (5, 4)), ((1, 1), (5, 4)),
    ])

  /// 12 × 16 cells.
  static let giant = Maze(
    "giant",
    [
      "################",
      "#.#......##....#",
      "#.#.##.#.#..##.#",
      "#...#..#...#...#",
      "#.###.######.#.#",
      "#...#...#....#.#",
      "###.#.#..#.#.###",
      "#...#..#...#...#",
      "#.#.#.######.#.#",
      "#.###...#...##.#",
      "#.....#...#....#",
      "################",
    ],
    tasks: [
      ((1, 1), (10, 14)), ((1, 14), (10, 1)), ((8, 14), (1, 1)), ((8, 3), (5, 12)),
      ((5, 9), (3, 8)),
    ], navigationSteps: 2000)

  /// 9 × 12 cells, of which two lead to one of three by chance; one of the three is closed.
  static let teleport = Maze(
    "teleport",
    [
      "############",
      "#.....#x#..#",
      "##.#...#..##",
      "##.###.....#",
      "#....#o#.#.#",
      "#o##.#.#.#.#",
      "#x##.#.#.#x#",
      "#....#...#.#",
      "############",
    ],
    tasks: [
      ((1, 10), (7, 1)), ((1, 1), (7, 10)), ((5, 6), (7, 10)), ((7, 1), (7, 10)),
      ((5, 6), (7, 1)),
    ])
}
