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
  let failure = Mutex<(index: Int, error: StorageError)?>(nil)
  DispatchQueue.concurrentPerform(iterations: max(1, min(threads, count))) { _ in
    while true {
      let index = next.add(1, ordering: .relaxed).oldValue
      guard index < count, failure.withLock({ $0.map { index < $0.index } ?? true }) else { return }
      do throws(StorageError) {
        try body(index)
      } catch {
        failure.withLock { if $0.map({ index < $0.index }) ?? true { $0 = (index, error) } }
      }
    }
  }
  if let first = failure.withLock({ $0 }) { throw first.error }
}
