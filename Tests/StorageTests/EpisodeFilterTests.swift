import Foundation
import Support
import Testing

@testable import Storage

/// Conditions on episodes: one spelling each, and a sentence for a text that is none.
struct EpisodeFilterTests {
  @Test func conditionsHaveOneSpelling() throws {
    for (text, spelling) in [
      ("success=1", "success = 1"),
      ("  return>30   and length >=10 ", "return > 30 and length >= 10"),
      ("final_distance < 0.050", "final_distance < 0.05"),
      ("success_ever != 0", "success_ever != 0"),
      ("return <= -1e3", "return <= -1000"), ("return > 1e300", "return > 1e+300"),
    ] {
      let filter = try EpisodeFilter(text)
      #expect(filter.description == spelling)
      #expect(try EpisodeFilter(spelling) == filter)
      let data = try JSONEncoder().encode([filter])
      #expect(try JSONDecoder().decode([EpisodeFilter].self, from: data) == [filter])
    }
  }

  @Test func otherTextsAreRefused() {
    let known = "must compare one of length, success, success_ever, return, final_distance, found"
    let words = "must be comparisons joined by 'and', as in success = 1 and return > 30"
    for (text, sentence) in [
      ("", "\(words), found \"\""), ("success", "\(words), found \"success\""),
      ("success = 1 and", "\(words), found \"\""), ("and success = 1", "\(words), found \"\""),
      ("success = 1 or return > 3", "must compare success with a number, found \"1orreturn>3\""),
      ("succes = 1", "\(known) \"succes\""),
      ("= 1", "\(known) \"\""),
      ("success == 1", "must compare success with a number, found \"=1\""),
      ("return > nan", "must compare return with a number, found \"nan\""),
      ("return > inf", "must compare return with a number, found \"inf\""),
      ("return ~ 1", "\(words), found \"return~1\""),
      (
        Array(repeating: "success = 1", count: 17).joined(separator: " and "),
        "must have at most 16 comparisons, found 17"
      ),
    ] {
      let error = #expect(throws: InvalidValue.self, "\(text)") { try EpisodeFilter(text) }
      #expect(error.map { "\($0)" } == sentence, "\(text)")
    }
    #expect(throws: InvalidValue.self) { try EpisodeFilter(String(repeating: " ", count: 2_000)) }
  }

  @Test func whatIsNoNumberSatisfiesNothing() {
    for relation in EpisodeFilter.Relation.allCases {
      #expect(!relation.holds(.nan, 1))
    }
    let unequal = EpisodeFilter.Relation.unequal
    #expect(unequal.holds(2, 1) && !unequal.holds(1, 1))
  }
}
