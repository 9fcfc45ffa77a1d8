import GoalCore
import MuJoCo

/// A world that MuJoCo simulates and draws, with what such worlds share: the state and its way
/// back, the count of steps, and the picture.
///
/// A world says how it is reset and stepped, its numbers, and what its picture shows.
protocol MuJoCoWorld: RestorableEnvironment, VisibleEnvironment, PreciseEnvironment {
  /// The simulation, as observations show it.
  var lagging: LaggingSimulation { get set }
  /// The desired goal before it is rounded to `Float`, `[G]`.
  var goal: [Double] { get set }
  /// Steps of the episode so far.
  var steps: Int { get set }
  /// Takes the pictures.
  var studio: Studio { get }
  /// Where a picture is taken from.
  var camera: Camera { get }
  /// The balls that a picture shows beside the scene: the goal, above all.
  var markers: [Marker] { get }
}

extension MuJoCoWorld {
  /// The present state with its goal.
  var shown: GoalObservation { task.shown(preciseObservation, desiredGoal: goal) }

  /// The colour of the goal's ball: green if the goal is reached, else red.
  var goalColour: SIMD4<Float> { task.colour(shown) }

  /// What a reset ends with: the first observation of an episode whose state was computed anew.
  func started() -> GoalObservation {
    steps = 0
    lagging.begin()
    return shown
  }

  /// What a step ends with.
  func stepped() -> GoalStep {
    steps += 1
    return task.stepped(to: shown, steps: steps)
  }

  /// The desired goal before it is rounded to `Float`, `[G]`.
  public var preciseGoal: [Double] { goal }

  /// Numbers in a state.
  public var stateLength: Int { lagging.stateLength }

  /// The state from which stepping goes on to the bit.
  public func state() -> [Double] { lagging.state }

  /// Puts a state and a goal back.
  public func restore(state: [Double], desiredGoal: [Float], step: Int) -> GoalObservation {
    lagging.state = state
    goal = desiredGoal.map { Double($0) }
    steps = step
    return shown
  }

  /// The scene from the world's camera, with its balls.
  public func picture(width: Int, height: Int) throws -> Picture {
    try studio.picture(
      of: lagging.simulation, from: camera, with: markers, width: width, height: height)
  }
}
