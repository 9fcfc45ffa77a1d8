import Environments
import Foundation
import GoalCore
import Storage
import Support
import TestSupport
import Testing

@testable import Formats

/// The code of `Documentation/Adding.md` is that of files which are compiled, and does what it
/// says.
struct AddingSampleTests {
  @Test(arguments: [
    "Tests/Samples/Adding/PointLine.swift", "Sources/Learners/Imitation/GoalBC.swift",
    "Tests/Samples/Adding/CSVRows.swift",
  ])
  func theDocumentShowsTheFileFromItsFirstComment(path: String) throws {
    func text(_ path: String) throws -> String {
      try String(
        contentsOf: PythonReference.checkout.appendingPathComponent(path), encoding: .utf8)
    }
    let file = try text(path)
    let start = try #require(file.range(of: "\n/// ")?.lowerBound)
    let code = file[file.index(after: start)...]
    #expect(try text("Documentation/Adding.md").contains("```swift\n\(code)```"), "\(path)")
  }

  @Test func theWorldIsAFunctionOfItsSeedAndItsScriptSolvesIt() throws {
    let loaded = try PointLine.world.load()
    let (one, two) = (try loaded.makeEnvironment(), try loaded.makeEnvironment())
    _ = two.reset(seed: 3)
    let script = try #require(PointLine.world.script).makeActor()
    for seed in 0..<20 as Range<UInt64> {
      var shown = one.reset(seed: seed)
      #expect(two.reset(seed: seed) == shown)
      script.begin(goal: shown.desiredGoal, seed: 0)
      var last: GoalStep?
      for _ in 0..<one.task.spec.horizon {
        let step = one.step(script.act(shown.observation))
        #expect(two.step(script.act(shown.observation)) == step)
        (shown, last) = (step.next, step)
      }
      #expect(last?.isSuccess == true && last?.truncated == true && last?.reward == 0)
    }
    let line = PointLine()
    _ = line.reset(seed: 1)
    let back = line.restore(state: [2.5], desiredGoal: [-1], step: 4)
    #expect(back.observation == [2.5] && back.desiredGoal == [-1] && line.state() == [2.5])
    #expect(Set(try line.picture(width: 60, height: 50).bytes).count > 20)
  }

  @Test func theFormatReadsEpisodesAndNamesWhatIsWrong() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("log.csv")
    func open(_ text: String) throws -> any TrajectorySource {
      try Data(text.utf8).write(to: file)
      #expect(CSVRows().recognizes(file) == text.hasPrefix("episode,"))
      return try CSVRows().open(file, FormatOptions(scratch: folder.url))
    }
    let source = try open("episode,o0,o1,a0\n7,1,2,3\n7,4,5,6\n7,7,8,9\n8,0,1,2\n8,3,4,5\n")
    #expect(source.lengths == [2, 1] && source.notes.lost.count == 1)
    let both = try source.table(of: 0..<2)
    #expect(both[.observations]?.floats() == [1, 2, 4, 5, 7, 8, 0, 1, 3, 4])
    #expect(both[.actions]?.floats() == [3, 6, 2])
    #expect(try source.table(of: 1..<2)[.actions]?.floats() == [2])
    for (text, words) in [
      ("", "its first line must be episode,o0,...,a0,..."),
      ("episode,o0,a0\n", "it has no episodes"),
      ("episode,o0,a0\n1,2,x\n", "line 2 must have 3 numbers"),
      ("episode,o0,a0\n1,2,3\n2,3,4\n2,3,4\n", "episode 1 has one line, so no step"),
    ] {
      let error = try #require(#expect(throws: FileError.self) { try open(text) })
      #expect(
        error.description.hasPrefix(file.path) && error.description.contains(words), "\(error)")
    }
  }
}
