import Testing

@testable import Support

struct ParallelTests {
  /// A thread that took a lower index still runs it when a quicker one has failed, in whatever
  /// order they do.
  @Test func anIndexIsLeftOutOnlyIfALowerOneFailed() {
    var failure = LowestFailure<FileError>()
    #expect(failure.allows(0) && failure.allows(7) && failure.error == nil)
    failure.add(.missing("5"), of: 5)
    #expect(failure.allows(3) && failure.allows(4) && !failure.allows(5) && !failure.allows(7))
    failure.add(.missing("3"), of: 3)
    failure.add(.missing("4"), of: 4)
    #expect(failure.error?.description.hasPrefix("3") == true && !failure.allows(4))
  }

  @Test(arguments: [1, 2, 8])
  func theLowestIndexThatFailsIsTheError(threads: Int) {
    for _ in 0..<1_000 {
      let error = #expect(throws: FileError.self) {
        try Parallel.forEach(8, threads: threads) { index throws(FileError) in
          if index > 1 { throw .missing("\(index)") }
        }
      }
      #expect(error?.description.hasPrefix("2") == true)
    }
  }

  @Test(arguments: [1, 2, 8])
  func aMapThrowsTheErrorOfTheLowestIndexToo(workers: Int) {
    for _ in 0..<200 {
      let error = #expect(throws: FileError.self) {
        _ = try Parallel.map(count: 8, workers: workers, context: {}) { _, index in
          if index > 1 { throw FileError.missing("\(index)") }
        }
      }
      #expect(error?.description.hasPrefix("2") == true)
    }
  }
}
