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
    let lines = ([heads] + rows).map { $0.map(Console.onOneLine) }
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
      let body = lines.map { cells in
        "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
      }
      return ([body[0], rule] + body.dropFirst()).joined(separator: "\n") + "\n"
    case .csv:
      return split().map { cells in
        cells.map { cell in
          cell.contains { ",\"\n".contains($0) }
            ? "\"" + cell.replacingOccurrences(of: "\"", with: "\"\"") + "\"" : cell
        }.joined(separator: ",") + "\n"
      }.joined()
    case .latex:
      let escaped = lines.map { cells in
        cells.map(Self.inLaTeX).joined(separator: " & ") + " \\\\\n"
      }
      let columns = "l" + String(repeating: "r", count: heads.count - 1)
      return "\\begin{tabular}{\(columns)}\n\\hline\n\(escaped[0])\\hline\n"
        + escaped.dropFirst().joined() + "\\hline\n\\end{tabular}\n"
    }
  }

  /// The lines, with estimates and their intervals in three columns: `success`, `success_low`,
  /// `success_high`.
  private func split() -> [[String]] {
    func parts(_ cell: String) -> [String]? {
      cell.wholeMatch(of: /\+?(-?[0-9.]+) \[(-?[0-9.]+), (-?[0-9.]+)\]/).map {
        ["\($0.output.1)", "\($0.output.2)", "\($0.output.3)"]
      }
    }
    let isEstimate = heads.indices.map { column in rows.contains { parts($0[column]) != nil } }
    func spread(_ cells: [String], _ wide: (String) -> [String]) -> [String] {
      zip(cells, isEstimate).flatMap { $1 ? wide($0) : [$0] }
    }
    return [spread(heads) { [$0, "\($0)_low", "\($0)_high"] }]
      + rows.map { spread($0) { parts($0) ?? [$0 == "–" ? "" : $0, "", ""] } }
  }

  /// A cell in which TeX finds no command, with signs and dashes as it sets them.
  private static func inLaTeX(_ cell: String) -> String {
    let special: [Character: String] = [
      "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "–": "--",
      "−": "$-$", "<": "$<$", ">": "$>$",
    ]
    let text = cell.map { character in
      special[character] ?? ("&%$#_{}".contains(character) ? "\\\(character)" : "\(character)")
    }.joined()
    // A minus is no hyphen; and a bracket after the end of a row would be that row's option.
    return (text.hasPrefix("[") ? "{}" : "")
      + text.replacing(/(^|[\[ ])-(?=[0-9])/) { "\($0.output.1)$-$" }
  }
}
