import Environments
import GoalCore
import Support
import Testing

@testable import Experiments
@testable import Reporting

/// What is written to people: texts of files as they are meant, bars in their width, numbers of any
/// size.
struct ConsoleTests {
  @Test func terminalsAreToldNothing() {
    let hostile = "\u{1b}]0;title\u{7}\r\u{9b}31m\u{202e}a\u{7f}"
    #expect(Console.shown(hostile) == "\\u001b]0;title\\u0007\\u000d\\u009b31m\\u202ea\\u007f")
    #expect(Console.shown("a line\n\tü █ 数\n") == "a line\n\tü █ 数\n")
    #expect(Console.onOneLine("random\r\nsound") == "random\\u000d\\u000asound")
    var table = Table(["name"])
    table.rows = [["a\nb"]]
    #expect(table.rendered(as: .text) == "name\na\\u000ab\n")
    #expect(ReportText.section("h", [("a", "b\nsound")]) == "\nh\n  a  b\\u000asound\n")
  }

  @Test func wideTablesAreTurnedOrStacked() {
    let heads = ["policy", "success", "return", "note"]
    let row = ["a", "0.5 [0.4, 0.6]", "12.0 [11.0, 13.0]", "as long as it takes to be broken"]
    let one = TableLayout(lines: [heads, row])
    let natural = "policy  success         return             note\n"
    #expect(one.text(columns: nil).hasPrefix(natural))
    #expect(one.text(columns: 79).hasPrefix(natural))
    #expect(
      one.text(columns: 60) == """
        policy   a
        success  0.5 [0.4, 0.6]
        return   12.0 [11.0, 13.0]
        note     as long as it takes to be broken

        """)
    let many = TableLayout(lines: [heads] + Array(repeating: row, count: 3))
    #expect(
      many.text(columns: 30).hasPrefix(
        """
        policy  success
            return
            note
        a       0.5 [0.4, 0.6]
            12.0 [11.0, 13.0]
            as long as it takes to be
            broken
        a       0.5
        """))
    #expect(TableLayout.wrapped("aaaaaa bb", within: 4) == ["aaaa", "aa", "bb"])
    for columns in 1...90 {
      for line in many.text(columns: columns).split(separator: "\n") {
        #expect(line.count <= max(5, columns))
      }
    }
  }

  @Test func wordsAreColouredAtTheStartOfLines() {
    #expect(
      Console.coloured("Error: a\nsound: b\na Error:")
        == "\u{1b}[31mError:\u{1b}[0m a\n\u{1b}[32msound:\u{1b}[0m b\na Error:")
  }

  @Test func aBarIsShorterThanTheTerminal() {
    let line =
      "train wgcsl: 123456/1000000 updates, 1234 updates/s, 12 min 3 s left, policy_loss 0.1"
    for columns in 1...300 {
      let bar = ProgressReport.bar(line, share: 0.5, columns: columns)
      #expect(bar.count < max(2, columns), "\(columns)")
    }
    #expect(ProgressReport.bar(line, share: 0.5, columns: 200).hasSuffix(line))
    #expect(
      ProgressReport.bar(line, share: 0.5, columns: 80)
        == "█████░░░░░ train wgcsl: 123456/1000000 updates, 1234 updates/s, 12 min 3 s lef…")
    #expect(ProgressReport.bar("a", share: 7, columns: 80) == "██████████ a")
    #expect(ProgressReport.bar("a", share: -1, columns: 80) == "░░░░░░░░░░ a")
    #expect(
      ProgressReport.duration(1e300) == "years" && ProgressReport.duration(.infinity) == "years")
  }

  @Test func histogramsTakeAnyNumbers() {
    let none = Histogram([.nan, .infinity, -.infinity])
    #expect(none.counts.reduce(0, +) == 0 || none.counts == [0])
    let some = Histogram([.nan, 1, 2, .infinity])
    #expect(some.counts.reduce(0, +) == 2)
    for ends in [
      [-1.7e308, 1.7e308], [1e300, 1e300 + 1e285], [0, .leastNonzeroMagnitude], [-3.4e38, 3.4e38],
    ] {
      #expect(Histogram(ends).counts.reduce(0, +) == 2, "\(ends)")
    }
    #expect(ReportText.sparkline([1e300, .nan, -1e300], top: 1e-300) == "█ ▁")
  }

  @Test func aliasesAreFoundOutsideOfQuotesAndComments() {
    for text in [
      "a: 2 * 3", "a: 'x *y'", "a: 'it''s *y'", "a: \"\\\" *y\"", "a: b # *y", "a: *", "a: [1*2]",
      "# *y\na: 1",
    ] {
      #expect(SettingsText.alias(in: text) == nil, "\(text)")
    }
    for text in ["a: *y", "a: [*y]", "*y : 1", "? *y", "a: 'b' \nc: *y", "- *y", "{a: *y}"] {
      #expect(SettingsText.alias(in: text) == "*y", "\(text)")
    }
  }

  @Test func textsMeanWhatTheyDid() throws {
    #expect(
      try SettingsText.value("{a: 1, b: 2.5, c: yes, d: [x, null], e: {f: '1'}}", path: "p")
        == [
          "a": 1, "b": 2.5, "c": true, "d": ["x", .null], "e": ["f": "1"],
        ])
    for text in ["a: .inf", "a: -.inf", "a: .nan"] {
      #expect(throws: ExperimentError.self) { try SettingsText.value(text, path: "p") }
    }
  }
}

/// Actions that are not finite.
struct NotFiniteActionTests {
  /// A policy that always does the same.
  final class Constant: GoalPolicy, GoalActor {
    let value: Float
    init(value: Float) { self.value = value }
    func makeActor() -> any GoalActor { self }
    func begin(goal: [Float], seed: UInt64) {}
    func act(_ observation: [Float]) -> Action { .continuous([value, 0]) }
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func aPolicyThatGivesNoNumberIsRefused(value: Float) throws {
    let world = try EnvironmentRegistry.world("point-reach")
    let policy = NamedPolicy(
      name: "odd", digest: "", policy: Constant(value: value), source: .policy)
    for exploration in [Exploration.none, Exploration(noise: 0.1, randomActions: 0)] {
      let rollout = Rollout(
        environment: try world.load().makeEnvironment(), policy: policy, exploration: exploration)
      let error = #expect(throws: ExperimentError.self) {
        try rollout.episode(index: 0, seed: 0)
      }
      #expect(
        "\(try #require(error))"
          == "odd: its actions must be finite numbers, found \(value)")
    }
  }

  @Test func clampingKeepsNotANumber() {
    #expect(Float.nan.clamped(from: -1, to: 1).isNaN)
    #expect(Float.infinity.clamped(from: -1, to: 1) == 1 && (-3.0).clamped(from: -1, to: 1) == -1)
    #expect(0.5.clamped(from: -1, to: 1) == 0.5)
  }
}
