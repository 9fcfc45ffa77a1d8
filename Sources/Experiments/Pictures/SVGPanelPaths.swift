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

  /// Lines with their bands, and a legend in the corner where they leave most room.
  func draw(_ all: [Series], _ across: Axis, _ up: Axis, _ text: inout SVGText) {
    for (number, series) in all.enumerated() {
      draw(series.points, across, up, &text, colour: Self.colours[number % Self.colours.count])
    }
    guard all.count > 1 else { return }
    let longest = Double(all.map(\.name.count).max() ?? 0) * 6 + 26
    let height = Double(all.count) * 15 + 6
    // The corner whose rectangle holds the fewest points.
    let points = all.flatMap(\.points).map { (across($0.x), up($0.y)) }
    let corners = [
      (right - longest - 4, bottom - height - 6), (left + 8, top + 4),
      (right - longest - 4, top + 4), (left + 8, bottom - height - 6),
    ]
    let counts = corners.map { x, y in
      points.count { x - 6...x + longest ~= $0.0 && y - 6...y + height + 6 ~= $0.1 }
    }
    let best = counts.indices.min { counts[$0] < counts[$1] } ?? 0
    let (x, y) = corners[best]
    text.rectangle(x: x, y: y, width: longest, height: height, fill: "#ffffff")
    for (number, series) in all.enumerated() {
      let line = y + 12 + 15 * Double(number)
      text.add(
        "line",
        [
          ("x1", SVGText.short(x + 4)), ("y1", SVGText.short(line - 4)),
          ("x2", SVGText.short(x + 20)), ("y2", SVGText.short(line - 4)),
          ("stroke", Self.colours[number % Self.colours.count]), ("stroke-width", "2.5"),
        ])
      text.write(series.name, x: x + 25, y: line, anchor: "start")
    }
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
      circle(end, 3.5, [("fill", "#ffffff"), ("stroke", Self.blue), ("stroke-width", "1.5")])
    }
  }
}
