import Environments
import Foundation
import GoalCore
import Synchronization

/// A thread that makes one episode at a time in an environment of its own.
///
/// `begin` says which, `result` waits for it: between them the caller does other work.
final class EpisodeWorker: Sendable {
  /// An episode to make.
  struct Request: Sendable {
    /// The episode's number.
    let number: Int
    /// Its world seed.
    let seed: UInt64
    /// Who acts.
    let policy: any GoalPolicy
    /// The exploration that is added to its actions.
    let exploration: Exploration
  }

  private enum State {
    case idle
    case asked(Request)
    case done(Result<Trajectory, any Error>)
    case ended
  }

  private let desk = Desk()

  /// The state shared by the caller and the thread.
  private final class Desk: Sendable {
    let state = Mutex(State.idle)
    let asked = DispatchSemaphore(value: 0)
    let done = DispatchSemaphore(value: 0)
  }

  /// Starts the thread, which makes an environment when it is first asked for an episode.
  init(_ world: LoadedWorld) {
    let desk = desk
    let thread = Thread {
      var environment: (any GoalEnvironment)?
      while true {
        desk.asked.wait()
        guard case .asked(let request) = desk.state.withLock({ $0 }) else { return }
        let result = Result<Trajectory, any Error> {
          let own = try environment ?? world.makeEnvironment()
          environment = own
          let policy = NamedPolicy(
            name: "training", digest: "", policy: request.policy, source: .policy)
          return try Rollout(
            environment: own, policy: policy, exploration: request.exploration
          ).episode(index: Int64(request.number), seed: request.seed)
        }
        desk.state.withLock { if case .asked = $0 { $0 = .done(result) } }
        desk.done.signal()
      }
    }
    thread.stackSize = 8 << 20
    thread.start()
  }

  deinit {
    desk.state.withLock { $0 = .ended }
    desk.asked.signal()
  }

  /// Begins an episode; there must be none in the making.
  func begin(_ request: Request) {
    desk.state.withLock {
      guard case .idle = $0 else { preconditionFailure("an episode is in the making already") }
      $0 = .asked(request)
    }
    desk.asked.signal()
  }

  /// Waits for the episode that was begun.
  func result() throws -> Trajectory {
    desk.done.wait()
    let result = desk.state.withLock { state -> Result<Trajectory, any Error> in
      guard case .done(let result) = state else {
        preconditionFailure("no episode was begun")
      }
      state = .idle
      return result
    }
    return try result.get()
  }
}
