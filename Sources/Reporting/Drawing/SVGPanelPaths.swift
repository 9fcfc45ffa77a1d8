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
    for rule in rules {
      drawRule(from: (left, up(rule.value)), to: (right, up(rule.value)), &text)
    }
    for (number, series) in all.enumerated() {
      let colour = Self.colours[number % Self.colours.count]
      for member in series.members {
        let places = member.map { "\(SVGText.short(across($0.x))),\(SVGText.short(up($0.y)))" }
        text.add(
          "polyline",
          [
            ("points", places.joined(separator: " ")), ("fill", "none"), ("stroke", colour),
            ("stroke-width", "0.7"), ("stroke-opacity", "0.45"),
          ])
      }
      draw(
        series.points, across, up, &text, colour: colour,
        dash: Self.dashes[number % Self.dashes.count])
    }
    guard hasLegend(all) else { return }
    let longest = legendWidth(all)
    let (x, y) = legendPlace(all, across, up) ?? (left, bottom + 42)
    let height = legendHeight(all)
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
    for (number, rule) in rules.enumerated() {
      let line = y + 12 + 15 * Double(all.count + number)
      drawRule(from: (x + 4, line - 4), to: (x + 34, line - 4), &text)
      text.write(rule.name, x: x + 39, y: line, anchor: "start")
    }
  }

  /// Whether lines need words: several of them, or one that is the mean of others.
  func hasLegend(_ all: [Series]) -> Bool {
    all.count + rules.count > 1 || all.contains { !$0.members.isEmpty }
  }

  func legendHeight(_ all: [Series]) -> Double { Double(all.count + rules.count) * 15 + 6 }

  private func legendWidth(_ all: [Series]) -> Double {
    Double((all.map(\.name) + rules.map(\.name)).map(\.count).max() ?? 0) * 6 + 44
  }

  /// The corner of a legend, along the sides or in the middle, where it hides least of lines and
  /// bands.
  ///
  /// It is nil if it would hide much of them everywhere.
  func legendPlace(_ all: [Series], _ across: Axis, _ up: Axis) -> (Double, Double)? {
    let longest = legendWidth(all)
    let height = legendHeight(all)
    var points: [Point] = []
    for series in all {
      for (from, to) in zip(series.points, series.points.dropFirst()) {
        for part in 0...8 { points += Self.between(from, to, Double(part) / 8) }
      }
    }
    var spots: [(x: Double, y: Double)] = points.map { (across($0.x), up($0.y)) }
    for rule in rules {
      for part in 0...200 {
        spots.append((left + (right - left) * Double(part) / 200, up(rule.value)))
      }
    }
    let columns: [Double] = [right - longest - 4, left + 8, (left + right - longest) / 2]
    let rows: [Double] = [bottom - height - 6, top + 4, (top + bottom - height) / 2]
    let corners = rows.flatMap { y in columns.map { (x: $0, y: y) } }
    let counts = corners.map { corner in
      let across = (corner.x - 6)...(corner.x + longest)
      let up = (corner.y - 6)...(corner.y + height + 6)
      return spots.count { across.contains($0.x) && up.contains($0.y) }
    }
    guard let best = counts.indices.min(by: { counts[$0] < counts[$1] }),
      counts[best] <= spots.count / 50
    else { return nil }
    return (corners[best].x, corners[best].y)
  }

  /// A dotted black line.
  private func drawRule(
    from: (Double, Double), to: (Double, Double), _ text: inout SVGText
  ) {
    text.add(
      "line",
      [
        ("x1", SVGText.short(from.0)), ("y1", SVGText.short(from.1)),
        ("x2", SVGText.short(to.0)), ("y2", SVGText.short(to.1)), ("stroke", "#000000"),
        ("stroke-width", "1"), ("stroke-dasharray", "1 3"),
      ])
  }

  /// Names at the side, a bar for an interval and a dot for a mean.
  ///
  /// Each value of the mean has a grey ring, and the number to compare it with has a diamond.
  func draw(_ all: [Level], _ across: Axis, _ up: Axis, _ text: inout SVGText) {
    for (number, level) in all.enumerated() {
      // The first stands above.
      let y = up(Double(all.count - 1 - number))
      text.write(level.name, x: left - 8, y: y + 4, anchor: "end")
      func place(_ value: Double) -> String { SVGText.short(across(value)) }
      if let interval = level.interval {
        text.add(
          "line",
          [
            ("x1", place(interval.lowerBound)), ("y1", SVGText.short(y)),
            ("x2", place(interval.upperBound)), ("y2", SVGText.short(y)),
            ("stroke", Self.colours[0]), ("stroke-width", "2"),
          ])
      }
      for value in level.values where level.values.count > 1 {
        text.add(
          "circle",
          [
            ("cx", place(value)), ("cy", SVGText.short(y)), ("r", "2.5"), ("fill", "none"),
            ("stroke", "#777777"),
          ])
      }
      text.add(
        "circle",
        [
          ("cx", place(level.mean)), ("cy", SVGText.short(y)), ("r", "3.5"),
          ("fill", Self.colours[0]),
        ])
      if let rule = level.rule {
        let x = across(rule)
        let corners = [(x, y - 5), (x + 4, y), (x, y + 5), (x - 4, y)]
        text.add(
          "polygon",
          [
            (
              "points",
              corners.map { "\(SVGText.short($0.0)),\(SVGText.short($0.1))" }
                .joined(separator: " ")
            ), ("fill", "none"), ("stroke", Self.colours[1]), ("stroke-width", "1.5"),
          ])
      }
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
