import Storage
import Testing

struct EpisodeSetTests {
  @Test(arguments: [
    ("0-499,700", "0-499,700", 501), ("3", "3", 1), ("5-5", "5", 1), ("7,1-2,3", "1-3,7", 4),
    ("1-9,2-3", "1-9", 9),
  ])
  func textIsReadAndWritten(text: String, canonical: String, count: Int) throws {
    let set = try #require(EpisodeSet(text))
    #expect(set.description == canonical)
    #expect(set.count == count)
    #expect(EpisodeSet(set.numbers) == set)
  }

  @Test(arguments: ["", ",", "1,", "2-1", "-1", "1-", "a", "1-2-3", "+1", "0x1", " 1", "4294967296"])
  func otherTextIsRefused(text: String) { #expect(EpisodeSet(text) == nil) }

  @Test func theIntersectionHoldsWhatBothHold() throws {
    let set = try #require(EpisodeSet("0-4,8,10-20"))
    for start in Int64(0)..<22 {
      for end in (start + 1)..<23 {
        #expect(
          set.intersection(start..<end).numbers == set.numbers.filter { (start..<end).contains($0) })
      }
    }
  }
}
