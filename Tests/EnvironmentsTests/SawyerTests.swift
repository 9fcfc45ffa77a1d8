import Environments
import Foundation
import GoalCore
import Testing

/// Our Sawyer beside the references' models: what their own MJCF with its meshes showed for the same commands
/// on MuJoCo 3.3.0 (multiworld's at 12a05bf in the loop of AWGCSL's `base.py` at d8f1c56, GCSL's pusher at
/// cfae560, Goal-Aware Prediction's blocks at 2eb5bc2; `scripts/compare-sawyer` runs them).
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
      (1, [-0.001490721, 0.547189066, 0.055351498]), (5, [0.022311969, 0.559235829, 0.071850276]),
      (10, [0.038369964, 0.56273445, 0.073094585]), (20, [0.001508294, 0.569965741, 0.093344261]),
    ]
    for (step, place) in places {
      expect(found[step - 1], place, within: [1e-7, 1e-7, 1e-7])
    }
  }

  /// Tolerance: the same; the hook and, from the sixth step, also the wrist touch the door.
  @Test func theDoorIsPulledAsTheReferences() throws {
    let actions: [[Float]] =
      Array(repeating: [0, 0.25, -1], count: 3) + Array(repeating: [0.25, -1, 0], count: 5)
      + Array(repeating: [0, 0, 0], count: 4)
    let found = try shown("sawyer-door", after: actions)
    let places: [(Int, [Double])] = [
      (3, [-0.047128833, 0.650335288, 0.168692905, -3.2654e-05]),
      (6, [-0.031738999, 0.591261831, 0.168309131, 0.234845553]),
      (8, [-0.021157522, 0.552295232, 0.167949662, 0.38075024]),
      (12, [-0.02118964, 0.552270085, 0.167953656, 0.386160266]),
    ]
    for (step, place) in places {
      expect(found[step - 1], place, within: [1e-7, 1e-7, 1e-7, 1e-7])
    }
  }

  /// Tolerance: the same.
  @Test func thePuckIsPushedAsTheReferences() throws {
    let actions: [[Float]] =
      Array(repeating: [-0.25, 1], count: 4) + Array(repeating: [1, 0.25], count: 16)
    let found = try shown("sawyer-push", after: actions)
    let places: [(Int, [Double])] = [
      (1, [-0.185292467, 0.525737872, -0.113071085, 0.59389291]),
      (4, [-0.199620331, 0.584993098, -0.113071085, 0.593892909]),
      (8, [-0.1241617, 0.606913881, -0.075706534, 0.603109261]),
      (12, [-0.044035225, 0.62721747, 0.005059217, 0.628116896]),
      (20, [0.104002198, 0.659226254, 0.162084075, 0.680866092]),
    ]
    for (step, place) in places {
      expect(found[step - 1], place, within: [1e-7, 1e-7, 1e-7, 1e-7])
    }
  }

  /// Tolerance: 10⁻³ m.
  ///
  /// Here they are equal to the last bit, but contacts of this stiffness amplify it: a last bit
  /// that another processor computes otherwise moves this gentle push by 2·10⁻⁴ m, and random ones by centimetres.
  @Test func theBlockIsPushedAsTheReferences() throws {
    let actions: [[Float]] =
      Array(repeating: [0, 0.25, 0.25, 1], count: 2)
      + Array(repeating: [0.04, 0, 0, 1], count: 38)
    let found = try shown("gap-blocks-2", after: actions)
    let places: [(Int, [Double])] = [
      (2, [-0.119346, 0.563638, 0.05165, 9.2e-05, 0.59998, 0.2, 0.4, 0, 0.75]),
      (20, [-0.017379, 0.600125, 0.049583, 0.025817, 0.599879, 0.2, 0.4, 0, 0.75]),
      (30, [0.062667, 0.60009, 0.049587, 0.122366, 0.599978, 0.2, 0.4, 0, 0.75]),
      (40, [0.142718, 0.600046, 0.049597, 0.22604, 0.600094, 0.2, 0.4, 0, 0.75]),
    ]
    for (step, place) in places {
      expect(Array(found[step - 1].prefix(9)), place, within: Array(repeating: 1e-3, count: 9))
    }
  }
}
