import Dispatch
import Foundation
import Synchronization

/// Runs pieces of work on a few threads of this process.
package enum Parallel {
  /// The cores of this machine.
  package static var cores: Int { ProcessInfo.processInfo.activeProcessorCount }

  /// Runs `body` for 0..<count on several threads; throws the error of the lowest index that fails.
  ///
  /// Indices are taken in order, and one that was taken is left out only if a lower one has failed.
  /// So the same faults give the same error, whichever thread was the quicker.
  package static func forEach<Failure: Error>(
    _ count: Int, threads: Int, _ body: @Sendable (Int) throws(Failure) -> Void
  ) throws(Failure) {
    let next = Atomic<Int>(0)
    let failure = Mutex(LowestFailure<Failure>())
    DispatchQueue.concurrentPerform(iterations: max(1, min(threads, count))) { _ in
      while true {
        let index = next.add(1, ordering: .relaxed).oldValue
        guard index < count, failure.withLock({ $0.allows(index) }) else { return }
        do throws(Failure) {
          try body(index)
        } catch {
          failure.withLock { $0.add(error, of: index) }
        }
      }
    }
    if let error = failure.withLock({ $0.error }) { throw error }
  }

  /// Runs `work(worker)` on `workers` threads and waits; throws the first error of the lowest
  /// worker.
  package static func run(workers: Int, _ work: @escaping @Sendable (Int) throws -> Void) throws {
    precondition(workers > 0, "at least one worker")
    let errors = Mutex([Int: any Error]())
    if workers == 1 {
      try work(0)
      return
    }
    let group = DispatchGroup()
    for worker in 0..<workers {
      group.enter()
      let thread = Thread {
        do { try work(worker) } catch { errors.withLock { $0[worker] = error } }
        group.leave()
      }
      thread.stackSize = 8 << 20
      thread.start()
    }
    group.wait()
    if let first = errors.withLock({ $0.min { $0.key < $1.key } }) { throw first.value }
  }

  /// `transform` of each index, in order, computed by threads that each make a `context` of their
  /// own.
  ///
  /// Throws the error of the lowest index that fails, as `forEach` does, or of a context.
  package static func map<Context, Result: Sendable>(
    count: Int, workers: Int, context: @escaping @Sendable () throws -> Context,
    _ transform: @escaping @Sendable (Context, Int) throws -> Result
  ) throws -> [Result] {
    let next = Atomic(0)
    let results = Mutex([Int: Result]())
    let failure = Mutex(LowestFailure<any Error>())
    try run(workers: max(1, min(workers, count))) { _ in
      let own = try context()
      while true {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < count, failure.withLock({ $0.allows(index) }) else { return }
        do {
          let result = try transform(own, index)
          results.withLock { $0[index] = result }
        } catch {
          failure.withLock { $0.add(error, of: index) }
        }
      }
    }
    if let error = failure.withLock({ $0.error }) { throw error }
    let all = results.withLock { $0 }
    return (0..<count).compactMap { all[$0] }
  }
}

/// The error of the lowest index that failed so far.
package struct LowestFailure<Failure: Error>: Sendable {
  /// The error; nil if nothing failed.
  package private(set) var error: Failure?
  private var index = Int.max

  /// Starts without an error.
  package init() {}

  /// Whether an index can still give the error.
  package func allows(_ index: Int) -> Bool { index < self.index }

  /// Keeps an index's error if none of a lower one is known.
  package mutating func add(_ error: Failure, of index: Int) {
    guard allows(index) else { return }
    (self.error, self.index) = (error, index)
  }
}
