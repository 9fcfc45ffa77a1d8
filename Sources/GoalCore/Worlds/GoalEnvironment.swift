/// An observation with its goals.
public struct GoalObservation: Sendable, Equatable {
  /// The observation, `[O]`.
  public var observation: [Float]
  /// The achieved goal m(s), `[G]`.
  public var achievedGoal: [Float]
  /// The goal that was asked for, `[G]`.
  public var desiredGoal: [Float]

  /// Makes an observation from its three parts.
  public init(observation: [Float], achievedGoal: [Float], desiredGoal: [Float]) {
    self.observation = observation
    self.achievedGoal = achievedGoal
    self.desiredGoal = desiredGoal
  }
}

/// The result of one action.
public struct GoalStep: Sendable, Equatable {
  /// The observation after the action.
  public var next: GoalObservation
  /// The world's own reward of the new state.
  public var reward: Float
  /// Whether the desired goal is reached in the new state.
  public var isSuccess: Bool
  /// The task ended here: nothing follows this state.
  public var terminated: Bool
  /// Time ran out here: the episode is cut off, the task is not over.
  public var truncated: Bool

  /// Makes a step from its parts.
  public init(
    next: GoalObservation, reward: Float, isSuccess: Bool, terminated: Bool, truncated: Bool
  ) {
    self.next = next
    self.reward = reward
    self.isSuccess = isSuccess
    self.terminated = terminated
    self.truncated = truncated
  }
}

/// A simulated world with goals.
///
/// An instance belongs to one thread at a time.
public protocol GoalEnvironment: AnyObject {
  /// The task, which needs no simulator.
  var task: GoalTask { get }
  /// Starts the episode of this seed: equal seeds give equal states and goals.
  func reset(seed: UInt64) -> GoalObservation
  /// Applies one action, of the kind and length that the task's specification says.
  func step(_ action: Action) -> GoalStep
}

/// A world whose whole state can be taken and put back.
public protocol RestorableEnvironment: GoalEnvironment {
  /// Numbers in a state, `S`.
  var stateLength: Int { get }
  /// The state, `[S]`, from which stepping goes on to the bit; the goal is not part of it.
  func state() -> [Double]
  /// Puts a state and a desired goal `[G]` back, and starts counting steps at `step`.
  func restore(state: [Double], desiredGoal: [Float], step: Int) -> GoalObservation
}

/// A picture, rows from the top, three bytes (red, green, blue) a pixel.
public struct Picture: Sendable, Equatable {
  /// Pixels along a row.
  public let width: Int
  /// Rows.
  public let height: Int
  /// `height * width * 3` bytes.
  public var bytes: [UInt8]

  /// Makes a picture from its bytes.
  public init(width: Int, height: Int, bytes: [UInt8]) {
    precondition(bytes.count == width * height * 3, "\(bytes.count) bytes for \(width) × \(height)")
    self.width = width
    self.height = height
    self.bytes = bytes
  }
}

/// A world whose states can be learned from as images.
public protocol ImageEnvironment: GoalEnvironment {
  /// Rows, columns and channels of an image, `[H, W, C]`.
  var imageShape: [Int] { get }
  /// An image of the present state and, if channels are for it, of the goal: `H * W * C` bytes,
  /// channels last; throws if no off-screen renderer is to be had.
  func image() throws -> [UInt8]
}

/// A world that can be seen.
public protocol VisibleEnvironment: GoalEnvironment {
  /// Draws the present state with its goal; throws if no off-screen renderer is to be had.
  func picture(width: Int, height: Int) throws -> Picture
}
