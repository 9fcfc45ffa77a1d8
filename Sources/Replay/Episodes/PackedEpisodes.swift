import Glibc
import GoalCore

/// How a replay keeps its episodes; the batches are the same.
public enum EpisodePlacement: Sendable {
  /// Where the columns lie: in memory, or mapped from shards.
  case inPlace
  /// Where the columns lie, which are mapped and do not fit into memory: `Paging`.
  case paged
  /// Copied, with all numbers of a state side by side in large pages: a row touches fewer cache
  /// lines and far fewer pages. The columns are let go.
  case packed
}

/// Episodes copied into one block.
///
/// An episode is its desired goal and then its T + 1 states, each `[achieved, desired if goals
/// move, action, observation]`, all filled up to whole cache lines. The last state's action is left
/// as zeros. Where what is achieved is the observation itself, it stands there once.
struct PackedLayout {
  private static let line = 16  // numbers of four bytes

  private let spec: GoalSpec
  /// Whether a state has a desired goal of its own.
  private let goalsMove: Bool
  /// Whether achieved goals are the observations.
  private let isShared: Bool
  /// Numbers from a state to the next.
  let stride: Int
  /// Numbers before an episode's first state.
  private let header: Int
  // Where in a state's row the action and the observation begin.
  private let action: Int
  private let observation: Int

  init(_ spec: GoalSpec, _ columns: [TrajectoryColumns]) {
    self.spec = spec
    goalsMove = columns.contains(where: \.goalsMove)
    isShared = columns.allSatisfy { $0.achievedGoals.baseAddress == $0.observations.baseAddress }
    action = goalsMove ? 2 * spec.goal : spec.goal
    observation = isShared ? 0 : action + spec.action.length
    stride = Self.filled(action + spec.action.length + (isShared ? 0 : spec.observation))
    header = goalsMove ? 0 : Self.filled(spec.goal)
  }

  private static func filled(_ count: Int) -> Int { (count + line - 1) / line * line }

  /// Numbers of an episode of `steps` steps.
  func count(steps: Int) -> Int { header + (steps + 1) * stride }

  /// Copies an episode of columns to `place`, which holds zeros.
  func copy(_ episode: EpisodeRows, to place: UnsafeMutablePointer<Float>) -> EpisodeRows {
    let (O, G, A) = (spec.observation, spec.goal, spec.action.length)
    let states = place + header
    let actions = episode.actions.assumingMemoryBound(to: Float.self)
    for state in 0...episode.steps {
      let row = states + state * stride
      row.update(from: episode.achieved + state * G, count: G)
      if goalsMove, let desired = episode.desired {
        (row + G).update(from: desired + state * Int(episode.desiredStride), count: G)
      }
      // Discrete actions are four bytes too, and are copied as they are.
      if state < episode.steps { (row + action).update(from: actions + state * A, count: A) }
      if !isShared {
        (row + observation).update(from: episode.observations + state * O, count: O)
      }
    }
    if !goalsMove, let desired = episode.desired { place.update(from: desired, count: G) }
    return EpisodeRows(
      observations: states + observation, actions: states + action, achieved: states,
      desired: episode.desired.map { _ in goalsMove ? states + G : place },
      firstStep: episode.firstStep, length: episode.length,
      desiredStride: goalsMove ? Int32(stride) : 0)
  }
}

/// A block of zeros in large pages, if the system has them.
final class LargePages: @unchecked Sendable {
  let start: UnsafeMutablePointer<Float>
  private let byteCount: Int

  init(count: Int) {
    let page = 2 << 20
    byteCount = (4 * max(1, count) + page - 1) / page * page
    // Room to begin on a page; what lies outside is never touched, so it takes no memory.
    let block = mmap(
      nil, byteCount + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let block, block != MAP_FAILED else {
      preconditionFailure("no memory for \(byteCount) bytes")
    }
    let address = Int(bitPattern: block)
    let shift = (address + page - 1) / page * page - address
    if shift > 0 { munmap(block, shift) }
    let first = block + shift
    munmap(first + byteCount, page - shift)
    // A refusal costs speed only.
    _ = madvise(first, byteCount, MADV_HUGEPAGE)
    start = first.bindMemory(to: Float.self, capacity: byteCount / 4)
  }

  deinit { munmap(start, byteCount) }
}
