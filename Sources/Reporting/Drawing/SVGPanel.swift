import Foundation

/// One pair of axes and what is drawn in it.
public struct SVGPanel: Sendable {
  /// A bar from `low` to `high` along the horizontal, of a height.
  public struct Bar: Sendable {
    let low: Double
    let high: Double
    let value: Double

    package init(low: Double, high: Double, value: Double) {
      (self.low, self.high, self.value) = (low, high, value)
    }
  }

  /// A point, with an interval along the vertical if it has one.
  public struct Point: Sendable {
    let x: Double
    let y: Double
    var interval: ClosedRange<Double>?

    package init(x: Double, y: Double, interval: ClosedRange<Double>? = nil) {
      (self.x, self.y, self.interval) = (x, y, interval)
    }
  }

  /// Counts in the cells of a rectangle, the first dimension fastest.
  public struct Cells: Sendable {
    let shape: [Int]
    let low: [Double]
    let high: [Double]
    let counts: [Int]

    package init(shape: [Int], low: [Double], high: [Double], counts: [Int]) {
      (self.shape, self.low, self.high, self.counts) = (shape, low, high, counts)
    }
  }

  /// A way through the plane towards a goal.
  public struct Paths: Sendable {
    /// The range that both axes show at least, on one scale.
    package struct Frame: Sendable {
      let x, y: ClosedRange<Double>

      package init(x: ClosedRange<Double>, y: ClosedRange<Double>) { (self.x, self.y) = (x, y) }
    }

    /// Earlier points, drawn grey.
    let data: [Point]
    /// The way; its start is a dot.
    let policy: [Point]
    let goal: Point
    /// Distance within which the goal is reached.
    let radius: Double
    let isSuccess: Bool
    let frame: Frame

    package init(
      data: [Point], policy: [Point], goal: Point, radius: Double, isSuccess: Bool, frame: Frame
    ) {
      (self.data, self.policy, self.goal) = (data, policy, goal)
      (self.radius, self.isSuccess, self.frame) = (radius, isSuccess, frame)
    }
  }

  /// Several lines with names.
  public struct Series: Sendable {
    let name: String
    let points: [Point]
    /// What the line is the mean of; drawn thin.
    let members: [[Point]]

    package init(name: String, points: [Point], members: [[Point]] = []) {
      (self.name, self.points, self.members) = (name, points, members)
    }
  }

  /// A number that others are held against: a level line with a name.
  public struct Rule: Sendable {
    let name: String
    let value: Double

    package init(name: String, value: Double) { (self.name, self.value) = (name, value) }
  }

  /// A mean with its interval, the values that it is the mean of, and a number that it is held
  /// against.
  public struct Level: Sendable {
    let name: String
    let mean: Double
    let interval: ClosedRange<Double>?
    let values: [Double]
    let rule: Double?

    package init(
      name: String, mean: Double, interval: ClosedRange<Double>?, values: [Double], rule: Double?
    ) {
      (self.name, self.mean, self.interval) = (name, mean, interval)
      (self.values, self.rule) = (values, rule)
    }
  }

  /// The contents.
  public enum Content: Sendable {
    /// Bars that stand on zero.
    case bars([Bar])
    /// Points joined by a line, their intervals as a band; marked one by one if they are few.
    case line([Point])
    /// Several lines of one kind, each in a colour of its own, with their names.
    case lines([Series])
    /// Means with their intervals, one below the other.
    case levels([Level])
    /// A way towards a goal, seen from above.
    case paths(Paths)
    /// A heat map, its colours by the logarithm of the count; empty cells are white.
    case cells(Cells)
  }

  static let width = 390.0
  static let height = 280.0
  static let blue = "#3b6ea5"
  static let orange = "#d1621b"

  let title: String
  let xLabel: String
  let yLabel: String
  let content: Content
  /// A line over bars.
  package var overlay: [Point] = []
  /// Level lines under lines.
  package var rules: [Rule] = []
  /// The vertical range, or nil for that of the data.
  var yRange: ClosedRange<Double>?
  /// Where the horizontal range starts, or nil for where the data do.
  var xStart: Double?
  /// Whether the horizontal counts something, so that ticks stand at whole numbers only.
  var countsAlong = false

  // The rectangle between the axes.
  var left: Double {
    guard case .levels(let all) = content else { return 66 }
    return min(210, 22 + 6.4 * Double(all.map(\.name.count).max() ?? 0))
  }
  let top = 32.0
  let bottom = SVGPanel.height - 48
  var right: Double {
    if case .cells = content { SVGPanel.width - 62 } else { SVGPanel.width - 28 }
  }

  package init(
    title: String, xLabel: String, yLabel: String, content: Content,
    overlay: [Point] = [], yRange: ClosedRange<Double>? = nil, xStart: Double? = nil,
    countsAlong: Bool = false
  ) {
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.content = content
    self.overlay = overlay
    self.yRange = yRange
    self.xStart = xStart
    self.countsAlong = countsAlong
  }

  /// Where a number stands along an axis.
  struct Axis {
    let from: ClosedRange<Double>
    let to: (Double, Double)

    func callAsFunction(_ value: Double) -> Double {
      to.0 + (value - from.lowerBound) / (from.upperBound - from.lowerBound) * (to.1 - to.0)
    }
  }

  /// Its height, with its legend if that stands below.
  var height: Double {
    guard case .lines(let all) = content else { return Self.height }
    let (x, y) = ranges()
    let isInside =
      legendPlace(
        all, Axis(from: x, to: (left, right)), Axis(from: y, to: (bottom, top))) != nil
    return Self.height + (isInside || !hasLegend(all) ? 0 : legendHeight(all) + 6)
  }

  /// Draws the panel with its corner at the origin.
  func draw(into text: inout SVGText) {
    let (x, y) = ranges()
    let across = Axis(from: x, to: (left, right))
    let up = Axis(from: y, to: (bottom, top))
    text.write(title, x: (left + right) / 2, y: top - 12, size: 12, anchor: "middle")
    var xTicks = Ticks(
      from: x.lowerBound, to: x.upperBound, least: countsAlong ? 1 : 0)
    // As many as their labels leave room for.
    for count in [4, 3, 2] where !xTicks.fit(right - left) {
      xTicks = Ticks(
        from: x.lowerBound, to: x.upperBound, count: count, least: countsAlong ? 1 : 0)
    }
    let yTicks = Ticks(from: y.lowerBound, to: y.upperBound)
    var isNamed = false
    if case .levels = content {
      isNamed = true
      for value in xTicks.values {
        text.line(across(value), bottom, across(value), top, colour: "#e6e6e6")
      }
    } else {
      for value in yTicks.values {
        text.line(left, up(value), right, up(value), colour: "#e6e6e6")
      }
    }
    switch content {
    case .bars(let bars):
      draw(bars, across, up, &text)
      drawOverlay(across, up, &text)
    case .line(let points): draw(points, across, up, &text)
    case .lines(let all): draw(all, across, up, &text)
    case .levels(let all): draw(all, across, up, &text)
    case .paths(let paths): draw(paths, across, up, &text)
    case .cells(let cells): draw(cells, &text)
    }
    text.line(left, bottom, right, bottom, colour: "#444444")
    text.line(left, top, left, bottom, colour: "#444444")
    for value in xTicks.values {
      text.line(across(value), bottom, across(value), bottom + 4, colour: "#444444")
      text.write(xTicks.text(value), x: across(value), y: bottom + 16, anchor: "middle")
    }
    for value in isNamed ? [] : yTicks.values {
      text.line(left - 4, up(value), left, up(value), colour: "#444444")
      text.write(yTicks.text(value), x: left - 7, y: up(value) + 4, anchor: "end")
    }
    text.write(xLabel, x: (left + right) / 2, y: bottom + 34, anchor: "middle")
    text.write(yLabel, x: 14, y: (top + bottom) / 2, anchor: "middle", upward: true)
  }

  /// The ranges of both axes, never empty.
  private func ranges() -> (x: ClosedRange<Double>, y: ClosedRange<Double>) {
    var x: [Double]
    var y: [Double]
    switch content {
    case .bars(let bars):
      x = bars.flatMap { [$0.low, $0.high] }
      // A lone bar is no wall.
      if countsAlong, bars.count == 1 { x = [bars[0].low - 2, bars[0].high + 2] }
      y = [0, ((bars.map(\.value) + overlay.map(\.y)).max() ?? 0) * 1.05]
    case .line(let points):
      x = points.map(\.x) + (xStart.map { [$0] } ?? [])
      y = points.flatMap { [$0.interval?.lowerBound ?? $0.y, $0.interval?.upperBound ?? $0.y] }
    case .lines(let all):
      let points = all.flatMap { $0.points + $0.members.joined() }
      x = points.map(\.x) + (xStart.map { [$0] } ?? [])
      y =
        points.flatMap { [$0.interval?.lowerBound ?? $0.y, $0.interval?.upperBound ?? $0.y] }
        + rules.map(\.value)
    case .levels(let all):
      x =
        all.flatMap { level in
          level.values + [level.mean]
            + (level.interval.map { [$0.lowerBound, $0.upperBound] } ?? [])
            + (level.rule.map { [$0] } ?? [])
        } + (xStart.map { [$0] } ?? [])
      y = [Double(all.count) - 0.3, -0.7]
    case .paths(let paths): return square(paths.frame)
    case .cells(let cells):
      x = [cells.low[0], cells.high[0]]
      y = [cells.low[1], cells.high[1]]
    }
    x = x.filter(\.isFinite)
    y = y.filter(\.isFinite)
    switch content {
    case .levels:
      guard let low = x.min(), let high = x.max() else { break }
      x += [xStart ?? (low - 0.03 * (high - low)), high + 0.03 * (high - low)]
    case .line, .lines:
      guard let low = y.min(), let high = y.max() else { break }
      y += [low - 0.05 * (high - low), high + 0.05 * (high - low)]
    default: break
    }
    return (Self.range(x), yRange ?? Self.range(y))
  }

  /// The range of some values, widened if they are all the same.
  private static func range(_ values: [Double]) -> ClosedRange<Double> {
    guard let low = values.min(), let high = values.max() else { return 0...1 }
    guard high > low else {
      let half = max(abs(low) * 0.01, 1e-6)
      return low - half...low + half
    }
    return low...high
  }

  private func draw(
    _ bars: [Bar], _ across: Axis, _ up: Axis, _ text: inout SVGText
  ) {
    for bar in bars where bar.value > 0 {
      let (x, y) = (across(bar.low), up(bar.value))
      let width = across(bar.high) - x
      let gap = width > 4 ? 0.5 : 0
      text.rectangle(
        x: x + gap, y: y, width: max(width - 2 * gap, 0.5), height: bottom - y, fill: Self.blue)
    }
  }

  private func drawOverlay(_ across: Axis, _ up: Axis, _ text: inout SVGText) {
    guard !overlay.isEmpty else { return }
    let places = overlay.map { "\(SVGText.short(across($0.x))),\(SVGText.short(up($0.y)))" }
    text.add(
      "polyline",
      [
        ("points", places.joined(separator: " ")), ("fill", "none"), ("stroke", Self.orange),
        ("stroke-width", "1.5"), ("stroke-linejoin", "round"),
      ])
  }

  func draw(
    _ points: [Point], _ across: Axis, _ up: Axis,
    _ text: inout SVGText, colour: String = SVGPanel.blue, dash: String = "none"
  ) {
    let points = points.filter(\.y.isFinite)
    let place = { (x: Double, y: Double) in
      "\(SVGText.short(across(x))),\(SVGText.short(up(y)))"
    }
    let banded = points.compactMap { point in point.interval.map { (point.x, $0) } }
    if banded.count > 1 {
      let edge =
        banded.map { place($0.0, $0.1.upperBound) }
        + banded.reversed().map { place($0.0, $0.1.lowerBound) }
      text.add(
        "polygon",
        [("points", edge.joined(separator: " ")), ("fill", colour), ("fill-opacity", "0.2")])
    }
    text.add(
      "polyline",
      [
        ("points", points.map { place($0.x, $0.y) }.joined(separator: " ")), ("fill", "none"),
        ("stroke", colour), ("stroke-width", "1.5"), ("stroke-linejoin", "round"),
        ("stroke-dasharray", dash),
      ])
    guard points.count <= 30 else { return }
    for point in points {
      if banded.count == 1, let interval = point.interval {
        let x = across(point.x)
        text.line(x, up(interval.lowerBound), x, up(interval.upperBound), colour: colour)
      }
      text.add(
        "circle",
        [
          ("cx", SVGText.short(across(point.x))), ("cy", SVGText.short(up(point.y))), ("r", "2.5"),
          ("fill", colour),
        ])
    }
  }

  private func draw(_ cells: Cells, _ text: inout SVGText) {
    let highest = max(1, cells.counts.max() ?? 1)
    // A dimension without extent was widened, and its one cell fills it.
    let xEdges = Self.edges(left, right, cells.shape[0])
    let yEdges = Self.edges(bottom, top, cells.shape[1])
    for (number, count) in cells.counts.enumerated() where count > 0 {
      let (i, j) = (number % cells.shape[0], number / cells.shape[0])
      text.rectangle(
        x: xEdges[i], y: yEdges[j + 1], width: xEdges[i + 1] - xEdges[i],
        height: yEdges[j] - yEdges[j + 1], fill: Self.colour(count, of: highest))
    }
    // The scale: the colour of a count at its logarithm.
    let x = right + 12
    let pieces = 40
    let edges = Self.edges(bottom, top, pieces)
    let place = { (count: Double) in
      highest > 1
        ? bottom - log(count) / log(Double(highest)) * (bottom - top) : (top + bottom) / 2
    }
    for piece in 0..<pieces {
      let share = (Double(piece) + 0.5) / Double(pieces)
      text.rectangle(
        x: x, y: edges[piece + 1], width: 10, height: edges[piece] - edges[piece + 1],
        fill: Self.colour(highest > 1 ? share : 1))
    }
    // The highest count stands at the top, powers of ten if there is room below it.
    var marks = [highest]
    var power = 1
    while power < highest {
      if place(Double(power)) - top > 14 { marks.append(power) }
      power *= 10
    }
    for mark in marks {
      let y = place(Double(mark))
      text.line(x + 10, y, x + 13, y, colour: "#444444")
      text.write(Self.brief(mark), x: x + 16, y: y + 4, anchor: "start")
    }
  }

  private static func edges(_ from: Double, _ to: Double, _ pieces: Int) -> [Double] {
    (0...pieces).map { from + (to - from) * Double($0) / Double(pieces) }
  }

  private static func colour(_ count: Int, of highest: Int) -> String {
    colour(highest > 1 ? log(Double(count)) / log(Double(highest)) : 1)
  }

  /// From pale to dark blue.
  private static func colour(_ share: Double) -> String {
    let (pale, dark) = ([214.0, 228, 241], [8.0, 48, 107])
    let mixed = zip(pale, dark).map { Int(($0 + ($1 - $0) * share).rounded()) }
    return String(format: "#%02x%02x%02x", mixed[0], mixed[1], mixed[2])
  }

  /// A count in four characters or so.
  private static func brief(_ count: Int) -> String {
    switch count {
    case 1_000_000...: String(format: "%.3gM", Double(count) / 1e6)
    case 1_000...: String(format: "%.3gk", Double(count) / 1e3)
    default: "\(count)"
    }
  }
}
