import Foundation
import GoalCore

/// Numbers, lists and tables as reports for people have them.
package enum ReportText {
  /// A number with four significant digits.
  package static func short(_ value: Double) -> String { String(format: "%.4g", value) }

  /// A count with its digits in groups of three.
  package static func count(_ value: Int) -> String { Ticks.grouped("\(value)") }

  /// A number of bytes in kB, MB or GB, with four significant digits.
  package static func bytes(_ count: Int) -> String {
    let size = Double(count)
    if size < 1e6 { return short(size / 1e3) + " kB" }
    return size < 1e9 ? short(size / 1e6) + " MB" : short(size / 1e9) + " GB"
  }

  /// A share with one decimal.
  package static func percent(_ share: Double) -> String { String(format: "%.1f %%", 100 * share) }

  /// Shares as eight heights of blocks; what is above zero has a height.
  package static func sparkline(_ values: [Double], top: Double) -> String {
    let blocks = Array("▁▂▃▄▅▆▇█")
    return String(
      values.map { value in
        guard value.isFinite, top > 0 else { return " " }
        let place = value / top * Double(blocks.count)
        return blocks[Int(place.clamped(from: 0, to: Double(blocks.count - 1)))]
      })
  }

  /// A list under a heading, each line a name and what it is, names padded to one width.
  package static func section(_ heading: String, _ lines: [(String, String)]) -> String {
    let lines = lines.map { (Console.onOneLine($0), Console.onOneLine($1)) }
    let width = lines.map(\.0.count).max() ?? 0
    let body = lines.map { name, value in
      "  \(name)\(String(repeating: " ", count: width - name.count))  \(value)\n"
    }
    return "\n\(heading)\n" + body.joined()
  }

  /// A table under a heading, set in.
  package static func section(_ heading: String, _ table: Table) -> String {
    let lines = table.rendered(as: .text, indent: 2).split(separator: "\n")
    return "\n\(heading)\n" + lines.map { "  \($0)\n" }.joined()
  }
}
