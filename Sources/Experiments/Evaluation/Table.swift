import Foundation

/// How a table is printed.
public enum TableFormat: String, CaseIterable, Sendable {
  /// Columns under each other.
  case text
  /// Markdown.
  case md
  /// Comma-separated values.
  case csv
  /// LaTeX's `tabular`.
  case latex

  /// All of them, for help and errors.
  public static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

/// A table of text, for people and papers.
public struct Table: Sendable, Equatable {
  /// The heads of the columns.
  public var heads: [String]
  /// Rows of as many cells.
  public var rows: [[String]] = []

  /// Makes a table without rows.
  public init(_ heads: [String]) { self.heads = heads }

  /// The table as text, with a newline at its end.
  public func rendered(as format: TableFormat) -> String {
    let lines = [heads] + rows
    switch format {
    case .text:
      let widths = heads.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
      return lines.map { cells in
        let padded = cells.indices.map {
          cells[$0] + String(repeating: " ", count: widths[$0] - cells[$0].count)
        }
        var line = padded.joined(separator: "  ")
        while line.hasSuffix(" ") { line.removeLast() }
        return line + "\n"
      }.joined()
    case .md:
      let rule = "|" + heads.map { _ in " --- |" }.joined()
      let body = lines.map { "| " + $0.joined(separator: " | ") + " |" }
      return ([body[0], rule] + body.dropFirst()).joined(separator: "\n") + "\n"
    case .csv:
      return lines.map { cells in
        cells.map { cell in
          cell.contains { ",\"\n".contains($0) }
            ? "\"" + cell.replacingOccurrences(of: "\"", with: "\"\"") + "\"" : cell
        }.joined(separator: ",") + "\n"
      }.joined()
    case .latex:
      let escaped = lines.map { cells in
        cells.map {
          $0.replacingOccurrences(of: "_", with: "\\_").replacingOccurrences(of: "%", with: "\\%")
            .replacingOccurrences(of: "–", with: "--")
        }.joined(separator: " & ") + " \\\\\n"
      }
      let columns = "l" + String(repeating: "r", count: heads.count - 1)
      return "\\begin{tabular}{\(columns)}\n\\hline\n\(escaped[0])\\hline\n"
        + escaped.dropFirst().joined() + "\\hline\n\\end{tabular}\n"
    }
  }
}
