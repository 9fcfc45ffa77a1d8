import Dispatch
import Synchronization

/// Runs `body` for 0..<count on several threads; throws the error of the lowest index that fails.
///
/// Indices are taken in order, and one that was taken is left out only if a lower one has failed. So the same
/// faults give the same error, whichever thread was the quicker.
func forEachInParallel(
  _ count: Int, threads: Int, _ body: @Sendable (Int) throws(StorageError) -> Void
) throws(StorageError) {
  let next = Atomic<Int>(0)
  let failure = Mutex(LowestFailure())
  DispatchQueue.concurrentPerform(iterations: max(1, min(threads, count))) { _ in
    while true {
      let index = next.add(1, ordering: .relaxed).oldValue
      guard index < count, failure.withLock({ $0.allows(index) }) else { return }
      do throws(StorageError) {
        try body(index)
      } catch {
        failure.withLock { $0.add(error, of: index) }
      }
    }
  }
  if let error = failure.withLock({ $0.error }) { throw error }
}

/// The error of the lowest index that failed so far.
struct LowestFailure: Sendable {
  /// The error; nil if nothing failed.
  private(set) var error: StorageError?
  private var index = Int.max

  /// Whether an index can still give the error.
  func allows(_ index: Int) -> Bool { index < self.index }

  /// Keeps an index's error if none of a lower one is known.
  mutating func add(_ error: StorageError, of index: Int) {
    guard allows(index) else { return }
    (self.error, self.index) = (error, index)
  }
}
