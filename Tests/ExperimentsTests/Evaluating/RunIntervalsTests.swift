import Experiments
import Foundation
import Statistics
import Support
import Testing

/// What scripts are told of numbers in tables.
struct RunIntervalsTests {
  struct Found: Decodable { let estimate, low, high: Double }

  func asked(_ text: String) throws -> [Found] {
    try JSONDecoder().decode(
      [Found].self, from: Data(try RunIntervals.answers(to: Data(text.utf8)).utf8))
  }

  @Test func rowsHaveStudentsIntervalWithinTheirRange() throws {
    let found = try asked(
      #"""
      [{"values": [1, 2, 3]}, {"values": [0.9, 1, 1], "low": 0, "high": 1, "episodes": 200},
       {"values": [0.9, 1, 1], "low": 0, "high": 1, "episodes": 50, "shares_starts": true},
       {"values": [1, 1, 1], "low": 0, "high": 1, "episodes": 200}]
      """#)
    #expect(abs(found[0].high - (2 + 4.302653 / 3.0.squareRoot())) < 1e-4)
    #expect(abs(found[0].low - (4 - found[0].high)) < 1e-12)
    // Student's alone would end at 1.11.
    #expect(found[1].low < 0.9 && found[1].high > found[1].estimate && found[1].high <= 1)
    // Shared starts are counted on top.
    #expect(found[2].low < found[1].low)
    // Equal values leave what their episodes leave open.
    #expect(found[3].low < 1 && found[3].low > 0.97 && found[3].high == 1)
  }

  @Test(arguments: [
    ("", "standard input must be a JSON list"), ("{}", "standard input must be a JSON list"),
    (#"[{"values": [1]}]"#, "item 1: values must be 2 to 10000, found 1"),
    (#"[{"values": [0, 2], "low": 0, "high": 1}]"#, "values must lie from 0.0 to 1.0, found 2.0"),
    (#"[{"values": [0, 1], "low": 1, "high": 0}]"#, "low must be below high, found 1.0 and 0.0"),
    (#"[{"values": [0, 1], "episodes": 9}]"#, "episodes go with shares from 0 to 1"),
    (#"[{"values": [0, 1], "low": 0, "high": 1, "episodes": 0}]"#, "episodes go with shares"),
    (#"[{"values": [0, 1], "shares_starts": true}]"#, "shares_starts needs the episodes"),
  ])
  func whatIsNoQuestionIsRefused(text: String, reason: String) throws {
    let error = #expect(throws: ExperimentError.self) {
      try RunIntervals.answers(to: Data(text.utf8))
    }
    #expect("\(try #require(error))".contains(reason))
  }
}
