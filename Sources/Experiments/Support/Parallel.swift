import Foundation
import Synchronization

/// Runs pieces of work on a few threads of this process.
enum Parallel {
  /// The cores of this machine.
  static var cores: Int { ProcessInfo.processInfo.activeProcessorCount }

  /// Runs `work(worker)` on `workers` threads and waits; throws the first error of the lowest worker.
  static func run(workers: Int, _ work: @escaping @Sendable (Int) throws -> Void) throws {
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

  /// `transform` of each index, in order, computed by threads that each make a `context` of their own.
  static func map<Context, Result: Sendable>(
    count: Int, workers: Int, context: @escaping @Sendable () throws -> Context,
    _ transform: @escaping @Sendable (Context, Int) throws -> Result
  ) throws -> [Result] {
    let next = Atomic(0)
    let results = Mutex([Int: Result]())
    try run(workers: max(1, min(workers, count))) { _ in
      let own = try context()
      while true {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < count else { return }
        let result = try transform(own, index)
        results.withLock { $0[index] = result }
      }
    }
    let all = results.withLock { $0 }
    return (0..<count).compactMap { all[$0] }
  }
}
