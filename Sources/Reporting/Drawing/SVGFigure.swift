public import Foundation
import Support

/// A figure of panels, written as SVG: axes with round ticks, labels with units, plain colours.
public struct SVGFigure: Sendable {
  /// The title above the panels.
  public var title: String
  /// The panels, row by row.
  public var panels: [SVGPanel]
  /// Panels in a row.
  public var columns = 3

  private static let header = 40.0

  /// Makes a figure.
  public init(title: String, panels: [SVGPanel]) {
    self.title = title
    self.panels = panels
  }

  /// The figure as SVG 1.1, with nothing in it that is not here: fonts are the viewer's sans-serif.
  public func rendered() -> String {
    let across = max(1, min(columns, panels.count))
    let down = (panels.count + across - 1) / across
    // A row is as high as its highest panel, and the title has room.
    let heights = (0..<down).map { row in
      panels[row * across..<min((row + 1) * across, panels.count)].map(\.height).max()
        ?? SVGPanel.height
    }
    let tops = heights.reduce(into: [Self.header]) { $0.append(($0.last ?? 0) + $1) }
    let width = max(Double(across) * SVGPanel.width, 24 + 8 * Double(title.count))
    let height = tops.last ?? Self.header
    var text = SVGText()
    text.open(
      "svg",
      [
        ("xmlns", "http://www.w3.org/2000/svg"), ("width", SVGText.short(width)),
        ("height", SVGText.short(height)),
        ("viewBox", "0 0 \(SVGText.short(width)) \(SVGText.short(height))"),
        ("font-family", "Helvetica, Arial, sans-serif"), ("font-size", "11"), ("fill", "#222222"),
      ])
    text.rectangle(x: 0, y: 0, width: width, height: height, fill: "#ffffff")
    text.write(title, x: 16, y: 25, size: 15, anchor: "start")
    for (number, panel) in panels.enumerated() {
      let x = Double(number % across) * SVGPanel.width
      let y = tops[number / across]
      text.open("g", [("transform", "translate(\(SVGText.short(x)) \(SVGText.short(y)))")])
      panel.draw(into: &text)
      text.close("g")
    }
    text.close("svg")
    return text.lines.joined(separator: "\n") + "\n"
  }

  /// Writes the figure, whole or not at all.
  public func write(to file: URL) throws {
    do {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    } catch {
      throw FileError.cannotWrite(file.path, reason: "its folder can't be made")
    }
    try WholeFile.write(Data(rendered().utf8), to: file)
  }
}

/// The text of an SVG in the making.
struct SVGText {
  private(set) var lines: [String] = []

  mutating func open(_ name: String, _ attributes: [(String, String)]) {
    lines.append("<\(name)\(Self.list(attributes))>")
  }

  mutating func close(_ name: String) { lines.append("</\(name)>") }

  mutating func add(_ name: String, _ attributes: [(String, String)]) {
    lines.append("<\(name)\(Self.list(attributes))/>")
  }

  mutating func rectangle(x: Double, y: Double, width: Double, height: Double, fill: String) {
    add(
      "rect",
      [
        ("x", Self.short(x)), ("y", Self.short(y)), ("width", Self.short(width)),
        ("height", Self.short(height)), ("fill", fill),
      ])
  }

  mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, colour: String) {
    add(
      "line",
      [
        ("x1", Self.short(x1)), ("y1", Self.short(y1)), ("x2", Self.short(x2)),
        ("y2", Self.short(y2)), ("stroke", colour),
      ])
  }

  /// Text at a point; `anchor` is start, middle or end, and `upward` turns it by a quarter.
  mutating func write(
    _ text: String, x: Double, y: Double, size: Double = 11, anchor: String, upward: Bool = false
  ) {
    var attributes = [("x", Self.short(x)), ("y", Self.short(y)), ("text-anchor", anchor)]
    if size != 11 { attributes.append(("font-size", Self.short(size))) }
    if upward {
      attributes.append(("transform", "rotate(-90 \(Self.short(x)) \(Self.short(y)))"))
    }
    lines.append("<text\(Self.list(attributes))>\(Self.escaped(text))</text>")
  }

  /// A coordinate to a hundredth of a pixel.
  static func short(_ value: Double) -> String {
    let rounded = (value * 100).rounded() / 100
    return Int(exactly: rounded).map(String.init) ?? "\(rounded)"
  }

  /// Text in which nothing is markup; what XML 1.0 has no character for is left out.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\t", "\n": result += " "
      default: if scalar.value >= 32 { result.unicodeScalars.append(scalar) }
      }
    }
    return result
  }

  private static func list(_ attributes: [(String, String)]) -> String {
    attributes.map { " \($0.0)=\"\(escaped($0.1))\"" }.joined()
  }
}
