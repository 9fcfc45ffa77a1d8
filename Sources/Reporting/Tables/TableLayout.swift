/// A table's cells under each other, in the columns that a terminal has.
///
/// A table that is too wide is turned, if it has one or two rows and then fits. Else each row takes
/// several lines: the columns that fit, and below them, set in, the next ones.
struct TableLayout {
  /// The heads, and then the rows, of equally many cells.
  let lines: [[String]]

  private static let indent = 4

  /// The text, with a newline after each line; `columns` is nil for as many as it takes.
  func text(columns: Int?) -> String {
    guard let columns, TableLayout.width(lines) > columns else { return TableLayout.aligned(lines) }
    if lines.count <= 3, let heads = lines.first {
      let turned = heads.indices.map { column in lines.map { $0[column] } }
      if TableLayout.width(turned) <= columns { return TableLayout.aligned(turned) }
    }
    return stacked(columns)
  }

  private static func widths(_ lines: [[String]]) -> [Int] {
    (lines.first ?? []).indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
  }

  private static func width(_ lines: [[String]]) -> Int {
    let widths = widths(lines)
    return widths.reduce(0, +) + 2 * max(0, widths.count - 1)
  }

  private static func aligned(_ lines: [[String]]) -> String {
    let widths = widths(lines)
    return lines.map { joined($0, widths) + "\n" }.joined()
  }

  private static func joined(_ cells: [String], _ widths: [Int]) -> String {
    let padded = zip(cells, widths).map { cell, width in
      cell + String(repeating: " ", count: width - cell.count)
    }
    var line = padded.joined(separator: "  ")
    while line.hasSuffix(" ") { line.removeLast() }
    return line
  }

  private func stacked(_ columns: Int) -> String {
    let widths = TableLayout.widths(lines)
    var bands: [Range<Int>] = []
    var used = 0
    for (column, width) in widths.enumerated() {
      let room = columns - (bands.count > 1 ? TableLayout.indent : 0)
      if let last = bands.last, used + 2 + width <= room {
        bands[bands.count - 1] = last.lowerBound..<column + 1
        used += 2 + width
      } else {
        bands.append(column..<column + 1)
        used = width
      }
    }
    var text = ""
    for cells in lines {
      for (number, band) in bands.enumerated() {
        let indent = number > 0 ? TableLayout.indent : 0
        let line = TableLayout.joined(Array(cells[band]), Array(widths[band]))
        for part in TableLayout.wrapped(line, within: max(1, columns - indent))
        where number == 0 || !part.isEmpty {
          text += String(repeating: " ", count: indent) + part + "\n"
        }
      }
    }
    return text
  }

  /// A line in parts of at most so many characters, broken at blanks if it has some.
  static func wrapped(_ line: String, within width: Int) -> [String] {
    var parts: [String] = []
    var rest = line[...]
    while rest.count > width {
      let limit = rest.index(rest.startIndex, offsetBy: width)
      let blank = rest[...limit].lastIndex(of: " ").flatMap { $0 > rest.startIndex ? $0 : nil }
      parts.append(String(rest[..<(blank ?? limit)]))
      rest = rest[(blank ?? limit)...].drop { $0 == " " }
    }
    return parts + [String(rest)]
  }
}
