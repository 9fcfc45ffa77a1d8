import Testing

@testable import Storage

struct ParallelTests {
  /// Three threads fail at the same moment: the quicker one does not choose the error. (It did in 8 of 100,000.)
  @Test func theLowestIndexThatFailsIsTheError() {
    for _ in 0..<100_000 {
      do throws(StorageError) {
        try forEachInParallel(3, threads: 3) { index throws(StorageError) in
          throw .missing("\(index)")
        }
        Issue.record("no error was thrown")
      } catch {
        guard case .missing(let path) = error, path == "0" else {
          Issue.record("the error was \(error)")
          return
        }
      }
    }
  }
}
