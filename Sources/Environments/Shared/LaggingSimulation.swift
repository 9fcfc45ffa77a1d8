import GoalCore
import MuJoCo

/// A simulation observed as MuJoCo leaves it after a step: joints' positions and velocities are the
/// present ones, bodies' positions those at the beginning of the last step.
///
/// What is shown then depends on the state before the last step, so that is the state which is
/// kept: taking that step again gives everything back.
struct LaggingSimulation {
  let simulation: MuJoCoSimulation
  private var beforeLastStep: [Double]?  // nil if all is as of now

  init(_ simulation: MuJoCoSimulation) { self.simulation = simulation }

  /// Says that everything was computed anew: nothing lags.
  mutating func begin() { beforeLastStep = nil }

  /// Moves on by `count` steps, at least one.
  mutating func step(_ count: Int) {
    simulation.step(count - 1)
    beforeLastStep = simulation.integrationState
    simulation.step(1)
  }

  /// Numbers in a state: the simulator's own, and one that says whether it is of before the last
  /// step (1) or of now (0).
  var stateLength: Int { simulation.model.integrationStateLength + 1 }

  /// The state from which everything is given back; setting it also shows what it was taken from.
  var state: [Double] {
    get { beforeLastStep.map { $0 + [1] } ?? simulation.integrationState + [0] }
    set {
      let numbers = Array(newValue.dropLast())
      if newValue.last == 1 {
        simulation.step(from: numbers)
        beforeLastStep = numbers
      } else {
        simulation.integrationState = numbers
        beforeLastStep = nil
      }
    }
  }
}

/// A world whose state is a lagging simulation's.
protocol LaggingEnvironment: RestorableEnvironment {
  var lagging: LaggingSimulation { get }
}

extension LaggingEnvironment {
  /// Numbers in a state: the simulator's own, and one that says whether it is of before the last
  /// step of the integrator (1) or of now (0).
  public var stateLength: Int { lagging.stateLength }

  /// The state before the last step of the integrator, since what is shown depends on it: taking
  /// that step again gives everything back.
  public func state() -> [Double] { lagging.state }
}
