import GoalCore
import MuJoCo

/// A simulation, which may be shown as MuJoCo leaves it after a step.
///
/// Joints' positions and velocities are then the present ones, bodies' positions those at the
/// beginning of the last step. So what is shown depends on the state before the last step. That
/// state is kept: taking the step again gives everything back.
struct LaggingSimulation {
  let simulation: MuJoCoSimulation
  private let lags: Bool
  private var beforeLastStep: [Double]?  // nil if all is as of now

  /// A simulation that lags, or one of which all that is shown is as of now.
  init(_ simulation: MuJoCoSimulation, lags: Bool = true) {
    self.simulation = simulation
    self.lags = lags
  }

  /// Says that everything was computed anew: nothing lags.
  mutating func begin() { beforeLastStep = nil }

  /// Moves on by `count` steps, at least one.
  mutating func step(_ count: Int) {
    guard lags else { return simulation.step(count) }
    simulation.step(count - 1)
    beforeLastStep = simulation.integrationState
    simulation.step(1)
  }

  /// Numbers in a state: the simulator's own and, if it lags, one that says whether it is of before
  /// the last step (1) or of now (0).
  var stateLength: Int { simulation.model.integrationStateLength + (lags ? 1 : 0) }

  /// The state from which everything is given back; setting it also shows what it was taken from.
  var state: [Double] {
    get {
      guard lags else { return simulation.integrationState }
      return beforeLastStep.map { $0 + [1] } ?? simulation.integrationState + [0]
    }
    set {
      guard lags else {
        simulation.integrationState = newValue
        return
      }
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
