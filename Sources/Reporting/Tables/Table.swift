import Foundation
public import Statistics

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

/// A value in a table: people read it rounded, programs with all its digits.
public protocol TableValue: Sendable {
  /// It for people.
  var shown: String { get }
  /// It in CSV: one field, or estimate, low and high.
  var fields: [String] { get }
}

extension TableValue {
  /// The text for people.
  public var fields: [String] { [shown] }
}

extension String: TableValue {
  /// Itself.
  public var shown: String { self }
}

extension Int: TableValue {
  /// Its digits.
  public var shown: String { "\(self)" }
}

extension Double: TableValue {
  /// Three significant places or so (`Estimate.short`).
  public var shown: String { Estimate.short(self) }
  /// All digits.
  public var fields: [String] { ["\(self)"] }
}

extension Estimate: TableValue {
  /// Estimate and interval, rounded.
  public var shown: String { text }
  /// Estimate, low and high.
  public var fields: [String] { ["\(estimate)", "\(low)", "\(high)"] }
}

/// An estimate of a difference, which people read with its sign.
package struct SignedEstimate: TableValue {
  private let estimate: Estimate

  /// Wraps an estimate of a difference.
  package init(estimate: Estimate) { self.estimate = estimate }

  /// Estimate and interval, rounded, with the sign of the estimate.
  package var shown: String { PairedComparison.signed(estimate) }
  /// Estimate, low and high.
  package var fields: [String] { estimate.fields }
}

extension Optional: TableValue where Wrapped: TableValue {
  /// A dash for nothing.
  public var shown: String { self?.shown ?? "–" }
  /// Nothing for nothing.
  public var fields: [String] { self?.fields ?? [""] }
}

/// A table of values, for people, papers and programs.
public struct Table: Sendable {
  /// The heads of the columns.
  public var heads: [String]
  /// Rows of as many cells.
  public var rows: [[any TableValue]] = []

  /// Makes a table without rows.
  public init(_ heads: [String]) { self.heads = heads }

  /// The table as text, with a newline at its end.
  ///
  /// As text on a terminal it is laid out in the terminal's columns, of which `indent` are kept for
  /// what the caller puts before each line.
  public func rendered(as format: TableFormat, indent: Int = 0) -> String {
    let lines = ([heads] + rows.map { $0.map(\.shown) }).map { $0.map(Console.onOneLine) }
    switch format {
    case .text:
      return TableLayout(lines: lines).text(columns: Console.tableColumns.map { $0 - indent })
    case .md:
      let rule = "|" + heads.map { _ in " --- |" }.joined()
      let body = lines.map { cells in
        "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
      }
      return ([body[0], rule] + body.dropFirst()).joined(separator: "\n") + "\n"
    case .csv:
      return fields.map { cells in
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

  /// The lines of CSV, with estimates and their intervals in three columns: `success`,
  /// `success_low`, `success_high`.
  private var fields: [[String]] {
    let cells = rows.map { $0.map { $0.fields.map(Console.onOneLine) } }
    let widths = heads.indices.map { column in cells.map { $0[column].count }.max() ?? 1 }
    let first = zip(heads, widths).flatMap { head, width in
      let head = Console.onOneLine(head)
      return width == 3 ? [head, "\(head)_low", "\(head)_high"] : [head]
    }
    return [first]
      + cells.map { row in
        zip(row, widths).flatMap { $0 + [String](repeating: "", count: $1 - $0.count) }
      }
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
