internal import Dispatch
internal import Synchronization

/// Draws batches ahead on threads of its own, so that they are ready when a learner asks.
///
/// Batches come in the order of their numbers and are those that the sampler would draw at that
/// moment, for any number of threads. The sampler's sources must not change while it works.
public final class BatchPrefetcher: Sendable {
  private let work: Work
  private let last: UInt64
  private let position: Mutex<(next: UInt64, waiting: Double)>

  /// Begins to draw the batches from number `first` to below `end`, about `depth` of them ahead.
  public init(
    _ sampler: Sampler, from first: UInt64, below end: UInt64, depth: Int = 4, threads: Int = 1
  ) {
    precondition(depth > 0 && threads > 0, "at least 1, found depth \(depth), threads \(threads)")
    // Each slot belongs to one thread, so that no two wait for the same one.
    let slots = (depth + threads - 1) / threads * threads
    work = Work(sampler, from: first, below: end, depth: slots)
    last = end
    position = Mutex((first, 0))
    let work = work
    for thread in 0..<threads {
      DispatchQueue(label: "goalpost.prefetch.\(thread)").async {
        work.run(thread, of: threads)
      }
    }
  }

  deinit { work.stop() }

  /// Seconds that `next` has waited for batches so far.
  public var waiting: Double { position.withLock { $0.waiting } }

  /// Gives the next batch in the place of `batch`, whose memory is used again.
  ///
  /// Calls follow one another; batches stop before `end`.
  public func next(into batch: inout GoalBatch) {
    let number = position.withLock { place in
      defer { place.next += 1 }
      return place.next
    }
    precondition(number < last, "batches below \(last) were asked for, found \(number)")
    let seconds = work.take(number, into: &batch)
    position.withLock { $0.waiting += seconds }
  }

  /// Slots that threads fill and a learner empties; batch `k` has slot `(k − first) mod depth`.
  private final class Work: @unchecked Sendable {
    private let sampler: Sampler
    private let first: UInt64
    private let end: UInt64
    private let depth: Int
    private let slots: UnsafeMutableBufferPointer<GoalBatch>
    private let free: [DispatchSemaphore]
    private let filled: [DispatchSemaphore]
    private let isStopped = Atomic(false)

    init(_ sampler: Sampler, from first: UInt64, below end: UInt64, depth: Int) {
      self.sampler = sampler
      self.first = first
      self.end = end
      self.depth = depth
      slots = .allocate(capacity: depth)
      slots.initialize(repeating: sampler.makeBatch())
      // A semaphore may not end below the value it began with: begin with 0.
      free = (0..<depth).map { _ in DispatchSemaphore(value: 0) }
      filled = (0..<depth).map { _ in DispatchSemaphore(value: 0) }
      for semaphore in free { semaphore.signal() }
    }

    deinit {
      slots.deinitialize()
      slots.deallocate()
    }

    private func slot(_ number: UInt64) -> Int { Int((number - first) % UInt64(depth)) }

    func run(_ thread: Int, of threads: Int) {
      for number in stride(from: first + UInt64(thread), to: end, by: threads) {
        let slot = slot(number)
        free[slot].wait()
        if isStopped.load(ordering: .acquiring) { return }
        sampler.draw(number, into: &slots[slot])
        filled[slot].signal()
      }
    }

    func take(_ number: UInt64, into batch: inout GoalBatch) -> Double {
      let slot = slot(number)
      var seconds = 0.0
      if filled[slot].wait(timeout: .now()) == .timedOut {
        let start = ContinuousClock.now
        filled[slot].wait()
        seconds = (ContinuousClock.now - start) / .seconds(1)
      }
      swap(&batch, &slots[slot])
      free[slot].signal()
      return seconds
    }

    /// Lets the threads end; each holds this object until it has.
    func stop() {
      isStopped.store(true, ordering: .releasing)
      for semaphore in free { semaphore.signal() }
    }
  }
}
