import Foundation
import GoalCore
import MuJoCo
import TestSupport
import Testing

/// Two boxes that touch deeply and askew, which is where versions of MuJoCo differ.
struct BoxesTests {
  struct Question: Encodable {
    let xml: String
    let starts: [[Double]]
    let steps: Int
  }

  let xml = """
    <mujoco>
      <worldbody>
        <geom type="box" size="0.01 0.03 0.01" solref="0.02 1"/>
        <body>
          <freejoint/>
          <geom type="box" size="0.1 0.01 0.01" solref="0.02 1"/>
        </body>
      </worldbody>
    </mujoco>
    """

  /// Boxes less than their own thickness apart, turned by some hundredths of a radian.
  var starts: [[Double]] {
    var random = Xoshiro256(seed: 5)
    return (0..<200).map { _ in
      let place = [0.05, 0.02, 0.012].map { Double.random(in: -$0...$0, using: &random) }
      let turn = (0..<3).map { _ in Double.random(in: -0.03...0.03, using: &random) }
      let length = (1 + turn.map { $0 * $0 }.reduce(0, +)).squareRoot()
      return place + ([1] + turn).map { $0 / length }
    }
  }

  func ends(_ model: MuJoCoModel, steps: Int) -> [[Double]] {
    let simulation = MuJoCoSimulation(model)
    return starts.map { start in
      simulation.reset()
      for (k, value) in start.enumerated() { simulation.positions[k] = value }
      simulation.step(steps)
      return Array(simulation.positions)
    }
  }

  /// Replacing the library's function for two boxes changes nothing where a model does not ask for
  /// it.
  ///
  /// To the last bit the boxes end where they do in Python, which has MuJoCo's own. It changes much
  /// where a model asks.
  @Test func onlyModelsThatAskForItTouchAsBefore3() throws {
    let steps = 5
    let asked = try MuJoCoModel(text: xml, name: "boxes")
    asked.actAsBefore3()
    let before = ends(asked, steps: steps)
    let now = ends(try MuJoCoModel(text: xml, name: "boxes"), steps: steps)
    let question = try JSONEncoder().encode(Question(xml: xml, starts: starts, steps: steps))
    let output = try PythonReference.run("boxes_reference.py", input: question)
    #expect(now == (try JSONDecoder().decode([[Double]].self, from: output)))
    let moved = zip(now, before).filter { abs($0[2] - $1[2]) > 1e-4 }.count
    #expect(moved > 20)
  }
}
