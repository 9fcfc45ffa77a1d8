import Synchronization

/// A sum that several threads add to.
package final class Counter: Sendable {
  private let sum = Atomic(0)

  /// Starts at 0.
  package init() {}

  /// The sum so far.
  package var value: Int { sum.load(ordering: .relaxed) }

  /// Adds to it.
  package func add(_ count: Int) { sum.add(count, ordering: .relaxed) }
}
