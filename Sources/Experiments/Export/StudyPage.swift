import Foundation
import Reporting
import Statistics
import Support

/// The `README.md` of a study: its author's words, and between marks what its rows come to.
///
///     <!-- table: results -->
///     (the plan's table of that name)
///     <!-- end -->
///
/// Text outside of marks is never touched.
struct StudyPage {
  /// What stands between two marks.
  struct Block {
    let mark: String
    let text: String
    /// A heading for a page that is not there yet.
    var heading = ""
  }

  /// Characters of a page, at most.
  private static let byteLimit = 1 << 22

  /// Reads the present page; nil if it is missing.
  static func read(_ file: URL) throws -> String? {
    guard FileManager.default.fileExists(atPath: file.path) else { return nil }
    let data = try WholeFile.read(file, limit: byteLimit)
    guard let text = String(validating: data, as: UTF8.self) else {
      throw ExperimentError.damaged(path: file.path, reason: "must be a text in UTF-8")
    }
    return text
  }

  /// A page without the author's words.
  static func fresh(_ title: String, _ blocks: [Block]) -> String {
    blocks.reduce("# \(title)\n") { text, block in
      text + (block.heading.isEmpty ? "" : "\n## \(block.heading)\n") + "\n" + marked(block) + "\n"
    }
  }

  private static func marked(_ block: Block) -> String {
    "<!-- \(block.mark) -->\n\(block.text)\n<!-- end -->"
  }

  /// What stands between a page's marks of a name; nil if it has none.
  static func kept(_ mark: String, in page: String) -> String? {
    range(mark, in: page).map {
      page[$0.inner].trimmingCharacters(in: .whitespacesAndNewlines)
    }
  }

  private static func range(
    _ mark: String, in page: String
  ) -> (whole: Range<String.Index>, inner: Range<String.Index>)? {
    guard let start = page.range(of: "<!-- \(mark) -->"),
      let end = page[start.upperBound...].range(of: "<!-- end -->")
    else { return nil }
    return (start.lowerBound..<end.upperBound, start.upperBound..<end.lowerBound)
  }

  /// A page with its blocks made anew; throws `ExperimentError.badSettings` for a page that lacks
  /// the marks of one.
  static func filled(_ page: String, _ blocks: [Block], path: String) throws -> String {
    try blocks.reduce(page) { page, block in
      guard let place = range(block.mark, in: page) else {
        throw ExperimentError.badSettings(
          path: path,
          reason: "must have the lines '<!-- \(block.mark) -->' and '<!-- end -->', between which "
            + "this goes; to begin the page anew, move it away")
      }
      return page.replacingCharacters(in: place.whole, with: marked(block))
    }
  }

  /// The title, and what the author says before the first mark.
  static func opening(_ page: String) -> String {
    let words = page.components(separatedBy: "<!-- ")[0]
    return words.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}

extension StudyNumbers {
  /// A table of the plan as Markdown, with the notes of its rows.
  func table(_ part: StudyPlan.Part) throws -> String {
    let groups = groups(by: plan.group, where: part.filter)
    var table = Table(part.columns.map(\.head))
    table.rows = try groups.map { group in
      try part.columns.map { try cell($0, group, among: groups) }
    }
    let notes = groups.flatMap { group in
      group.rows.compactMap { $0["note"] }.uniqued.map { note in
        "- \(plan.words(group.labels, plan.group)): \(note)"
      }
    }
    return
      ([table.rendered(as: .md).trimmingCharacters(in: .newlines)]
      + (notes.isEmpty ? [] : [notes.joined(separator: "\n")])).joined(separator: "\n\n")
  }

  /// A number with so many decimals, or with three significant places.
  private static func text(_ value: Double, _ digits: Int?) -> String {
    digits.map { String(format: "%.\($0)f", value) } ?? Estimate.short(value)
  }

  private static func text(_ level: StudyLevel, _ column: StudyPlan.Column, _ digits: Int?)
    -> String
  {
    let ends = (column.hasInterval ? level.interval : nil).map {
      " [\(text(column.scale * $0.lowerBound, digits)), \(text(column.scale * $0.upperBound, digits))]"
    }
    return text(column.scale * level.mean, digits) + (ends ?? "")
  }

  private func cell(
    _ column: StudyPlan.Column, _ group: StudyGroup, among groups: [StudyGroup]
  ) throws -> String {
    let digits = column.digits ?? plan.measure(column.of).digits
    switch column.shown {
    case .name: return group.labels[column.of].map { plan.words($0, of: column.of) } ?? ""
    case .text:
      let all = group.rows.compactMap { $0[column.of] }.uniqued
      return all.map { Int($0).map(ReportText.count) ?? $0 }.joined(separator: ", ")
    case .count:
      // A dataset is no run.
      let runs = group.rows.count { $0["seed"] != nil }
      return runs > 0 ? "\(runs)" : ""
    case .mean: return try level(column.of, of: group).map { Self.text($0, column, digits) } ?? ""
    case .each:
      return try level(column.of, of: group)?.values.map {
        Self.text(column.scale * $0, digits)
      }.joined(separator: ", ") ?? ""
    case .published: return published(column.of, group)?.text ?? ""
    case .source: return published(column.of, group)?.source ?? ""
    case .verdict: return try verdict(column.of, group)
    case .apart: return try apart(column.of, group, among: groups)
    case .highest:
      guard let point = try curve(column.of, of: group).max(by: { $0.level.mean < $1.level.mean })
      else { return "" }
      let place = Int(exactly: point.x).map(ReportText.count) ?? "\(point.x)"
      return Self.text(point.level, column, digits) + " at \(place)"
    }
  }

  /// Which commits trained the rows, as Markdown.
  func commits() -> String {
    var table = Table(["commit of the code that trained", "runs", "of"])
    let all = rows.compactMap { $0["commit"] }.uniqued
    table.rows = all.map { commit in
      let own = rows.filter { $0["commit"] == commit }
      let words = own.map { plan.words($0, plan.group) }.uniqued
      let shown =
        words.count > 4
        ? words.prefix(3).joined(separator: "; ") + " and \(words.count - 3) more"
        : words.joined(separator: "; ")
      let short = commit.split(separator: " ").map { $0.prefix(12) }.joined(separator: ", ")
      return [short, own.count, shown]
    }
    let unknown = rows.count { $0["commit"] == nil }
    return (all.isEmpty ? "" : table.rendered(as: .md).trimmingCharacters(in: .newlines))
      + (unknown == 0
        ? ""
        : (all.isEmpty ? "" : "\n\n")
          + "\(unknown) rows name no commit: they are of no run of this code.")
  }
}
