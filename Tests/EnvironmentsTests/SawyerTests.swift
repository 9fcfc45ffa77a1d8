import Environments
import Foundation
import GoalCore
import Testing

/// Our Sawyer beside the references' models: what their own MJCF with its meshes showed for the
/// same commands on MuJoCo 2.3.7 (multiworld's at 12a05bf in the loop of AWGCSL's `base.py` at
/// d8f1c56, GCSL's pusher at cfae560, Goal-Aware Prediction's blocks at 2eb5bc2;
/// `scripts/compare-sawyer` runs them).
///
/// On MuJoCo 3.3.0 as it is they would be off by millimetres in the first step
/// (`MuJoCoModel.actAsBefore3`).
struct SawyerTests {
  /// What is shown after each of the actions.
  func shown(_ identifier: String, after actions: [[Float]]) throws -> [[Float]] {
    let environment = try EnvironmentRegistry.world(identifier).load().makeEnvironment()
    _ = environment.reset(seed: 0)
    return actions.map { environment.step(.continuous($0)).next.observation }
  }

  func expect(_ found: [Float], _ expected: [Double], within tolerance: [Double]) {
    #expect(found.count == expected.count)
    for (k, value) in expected.enumerated() {
      #expect(abs(Double(found[k]) - value) < tolerance[k], "\(found) is not \(expected)")
    }
  }

  /// Tolerance: 10⁻⁷ m, the rounding of what is shown.
  @Test func theReachingHandMovesAsTheReferences() throws {
    let actions = stride(from: 0.0, to: 20, by: 1).map { (t: Double) -> [Float] in
      [Float(sin(t)), Float(cos(1.3 * t)), Float(sin(0.7 * t + 1))]
    }
    let found = try shown("sawyer-reach", after: actions)
    let places: [(Int, [Double])] = [
      (1, [-0.00039415, 0.545843389, 0.055481994]), (5, [0.020992041, 0.559014617, 0.071819521]),
      (10, [0.036316544, 0.562559136, 0.073240056]), (20, [0.001056087, 0.569861152, 0.093279517]),
    ]
    for (step, place) in places {
      expect(found[step - 1], place, within: [1e-7, 1e-7, 1e-7])
    }
  }

  /// Tolerance: 10⁻⁶ m and 10⁻⁵ rad, as the hook and, from the sixth step, also the wrist touch the
  /// door.
  @Test func theDoorIsPulledAsTheReferences() throws {
    let actions: [[Float]] =
      Array(repeating: [0, 0.25, -1], count: 3) + Array(repeating: [0.25, -1, 0], count: 5)
      + Array(repeating: [0, 0, 0], count: 4)
    let found = try shown("sawyer-door", after: actions)
    let places: [(Int, [Double])] = [
      (3, [-0.043674348, 0.65184375, 0.169154397, 2.1347e-05]),
      (6, [-0.027487098, 0.592972155, 0.169055222, 0.232029399]),
      (8, [-0.016303384, 0.554125986, 0.168787468, 0.379834729]),
      (12, [-0.016313977, 0.554118351, 0.168782195, 0.383214358]),
    ]
    for (step, place) in places {
      expect(found[step - 1], place, within: [1e-6, 1e-6, 1e-6, 1e-5])
    }
  }

  /// Tolerance: that of the gentler pull.
  ///
  /// Random actions press the hook askew into the handle. Where two boxes touch as they do in
  /// MuJoCo 3.3 half of it slips, and the door is 0.11 rad behind at the end.
  @Test func aTiltedHookHoldsTheHandleAsTheReferences() throws {
    let actions: [[Float]] = [
      [-1, -1, -1], [0, -1, 1], [1, 0, 0], [0, 0, -1], [0, 0, 0], [1, 1, -1], [1, 0, -1],
      [1, -1, 0], [-1, 1, 1], [0, 0, 1], [-1, 0, 0], [-1, -1, 0], [0, 0, 1], [-1, 0, 0],
      [-1, -1, 1], [-1, 0, 0], [0, 0, 0], [1, 0, 1],
    ]
    let found = try shown("sawyer-door-gcsl", after: actions)
    let places: [(Int, [Double])] = [
      (10, [-0.004113356, 0.617161669, 0.205403433, 0.033207394]),
      (14, [-0.062569404, 0.600335346, 0.224006709, 0.022180023]),
      (16, [-0.092016334, 0.583056912, 0.242327424, 0.114089272]),
      (18, [-0.072088407, 0.582753893, 0.246928867, 0.195357498]),
    ]
    for (step, place) in places {
      expect(found[step - 1], place, within: [1e-6, 1e-6, 1e-6, 1e-5])
    }
  }

  /// Tolerance: that of reaching.
  @Test func thePuckIsPushedAsTheReferences() throws {
    let actions: [[Float]] =
      Array(repeating: [-0.25, 1], count: 4) + Array(repeating: [1, 0.25], count: 16)
    let found = try shown("sawyer-push", after: actions)
    let places: [(Int, [Double])] = [
      (1, [-0.185387637, 0.524568682, -0.113071085, 0.59389291]),
      (4, [-0.199605575, 0.585382516, -0.113071085, 0.593892909]),
      (8, [-0.123762819, 0.607127857, -0.075633, 0.602668232]),
      (12, [-0.045184797, 0.627134572, 0.001290804, 0.626709473]),
      (20, [0.079665738, 0.655485492, 0.128427307, 0.66945848]),
    ]
    for (step, place) in places {
      expect(found[step - 1], place, within: [1e-7, 1e-7, 1e-7, 1e-7])
    }
  }

  /// Tolerance: 2·10⁻³ m.
  ///
  /// Contacts of this stiffness amplify a last bit: the reset, which drags the hand through two
  /// blocks, makes 2·10⁻³ m of one that another processor or version computes otherwise, and random
  /// actions make centimetres.
  @Test func theBlockIsPushedAsTheReferences() throws {
    let actions: [[Float]] =
      Array(repeating: [0, 0.25, 0.25, 1], count: 2)
      + Array(repeating: [0.04, 0, 0, 1], count: 38)
    let found = try shown("gap-blocks-2", after: actions)
    let places: [(Int, [Double])] = [
      (2, [-0.126156, 0.568684, 0.048453, 0, 0.6, 0.2, 0.4, 0, 0.75]),
      (20, [-0.042896, 0.600134, 0.052371, 0.030986, 0.60002, 0.2, 0.4, 0, 0.75]),
      (30, [0.027048, 0.600072, 0.053595, 0.099078, 0.600117, 0.2, 0.4, 0, 0.75]),
      (40, [0.104594, 0.600018, 0.054033, 0.17612, 0.600243, 0.2, 0.4, 0, 0.75]),
    ]
    for (step, place) in places {
      expect(Array(found[step - 1].prefix(9)), place, within: Array(repeating: 2e-3, count: 9))
    }
  }
}
