extension SVGPanel {
  /// Colours that are told apart without seeing red and green: after Okabe and Ito.
  static let colours = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555",
  ]

  /// The ranges of a frame, the shorter one widened so that both axes have one scale.
  func square(_ frame: Paths.Frame) -> (x: ClosedRange<Double>, y: ClosedRange<Double>) {
    let (wide, high) = (right - left, bottom - top)
    let scale = max(
      (frame.x.upperBound - frame.x.lowerBound) / wide,
      (frame.y.upperBound - frame.y.lowerBound) / high)
    func widened(_ range: ClosedRange<Double>, _ length: Double) -> ClosedRange<Double> {
      let middle = (range.lowerBound + range.upperBound) / 2
      return middle - scale * length / 2...middle + scale * length / 2
    }
    return (widened(frame.x, wide), widened(frame.y, high))
  }

  /// How lines are drawn, one after the other, so that one that lies under another is seen.
  private static let dashes = ["none", "7 4", "2 3", "9 3 2 3"]

  /// Lines with their bands, and a legend where they leave most room.
  func draw(_ all: [Series], _ across: Axis, _ up: Axis, _ text: inout SVGText) {
    for (number, series) in all.enumerated() {
      draw(
        series.points, across, up, &text, colour: Self.colours[number % Self.colours.count],
        dash: Self.dashes[number % Self.dashes.count])
    }
    guard all.count > 1 else { return }
    let longest = Double(all.map(\.name.count).max() ?? 0) * 6 + 40
    let height = Double(all.count) * 15 + 6
    // The place along the sides or in the middle whose rectangle holds least of the lines and
    // bands.
    let spots = all.flatMap { series in
      zip(series.points, series.points.dropFirst()).flatMap { from, to in
        (0...8).flatMap { Self.between(from, to, Double($0) / 8) }
      }
    }.map { (across($0.x), up($0.y)) }
    let columns = [right - longest - 4, left + 8, (left + right - longest) / 2]
    let rows = [bottom - height - 6, top + 4, (top + bottom - height) / 2]
    let corners = rows.flatMap { y in columns.map { ($0, y) } }
    let counts = corners.map { x, y in
      spots.count { x - 6...x + longest ~= $0.0 && y - 6...y + height + 6 ~= $0.1 }
    }
    let best = counts.indices.min { counts[$0] < counts[$1] } ?? 0
    let (x, y) = corners[best]
    text.add(
      "rect",
      [
        ("x", SVGText.short(x)), ("y", SVGText.short(y)), ("width", SVGText.short(longest)),
        ("height", SVGText.short(height)), ("fill", "#ffffff"), ("fill-opacity", "0.8"),
      ])
    for (number, series) in all.enumerated() {
      let line = y + 12 + 15 * Double(number)
      text.add(
        "line",
        [
          ("x1", SVGText.short(x + 4)), ("y1", SVGText.short(line - 4)),
          ("x2", SVGText.short(x + 34)), ("y2", SVGText.short(line - 4)),
          ("stroke", Self.colours[number % Self.colours.count]), ("stroke-width", "2"),
          ("stroke-dasharray", Self.dashes[number % Self.dashes.count]),
        ])
      text.write(series.name, x: x + 39, y: line, anchor: "start")
    }
  }

  /// A share of the way from one point to the next: on the line, and on both edges of its band.
  private static func between(_ from: Point, _ to: Point, _ share: Double) -> [Point] {
    let mix = { (a: Double, b: Double) in a + share * (b - a) }
    let x = mix(from.x, to.x)
    var found = [Point(x: x, y: mix(from.y, to.y))]
    if let start = from.interval, let end = to.interval {
      found.append(Point(x: x, y: mix(start.lowerBound, end.lowerBound)))
      found.append(Point(x: x, y: mix(start.upperBound, end.upperBound)))
    }
    return found
  }

  /// The goal with its threshold, the data's way in grey, the policy's from its dot on.
  func draw(_ paths: Paths, _ across: Axis, _ up: Axis, _ text: inout SVGText) {
    let colour = paths.isSuccess ? "#1e8c37" : "#be2823"
    let place = { (point: Point) in
      "\(SVGText.short(across(point.x))),\(SVGText.short(up(point.y)))"
    }
    func circle(_ point: Point, _ radius: Double, _ more: [(String, String)]) {
      text.add(
        "circle",
        [
          ("cx", SVGText.short(across(point.x))), ("cy", SVGText.short(up(point.y))),
          ("r", SVGText.short(radius)),
        ] + more)
    }
    let radius = across(paths.goal.x + paths.radius) - across(paths.goal.x)
    circle(
      paths.goal, radius,
      [("fill", colour), ("fill-opacity", "0.15"), ("stroke", colour), ("stroke-width", "1")])
    for (points, stroke, dash) in [
      (paths.data, "#999999", "4 3"), (paths.policy, Self.blue, "none"),
    ] where points.count > 1 {
      text.add(
        "polyline",
        [
          ("points", points.map(place).joined(separator: " ")), ("fill", "none"),
          ("stroke", stroke), ("stroke-width", "1.5"), ("stroke-dasharray", dash),
          ("stroke-linejoin", "round"),
        ])
    }
    if let start = paths.policy.first { circle(start, 3.5, [("fill", Self.blue)]) }
    if let end = paths.policy.last {
      circle(end, 5.5, [("fill", "none"), ("stroke", Self.blue), ("stroke-width", "1.5")])
    }
  }
}
