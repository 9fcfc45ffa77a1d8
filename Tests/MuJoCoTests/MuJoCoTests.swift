import Foundation
import MuJoCo
import TestSupport
import Testing

/// What the wrapper of MuJoCo promises, on a pendulum and a ball.
struct MuJoCoTests {
  private static let pendulum = """
    <mujoco>
      <option timestep="0.002"/>
      <worldbody>
        <body name="rod" pos="0 0 1">
          <joint name="hinge" type="hinge" axis="0 1 0" damping="0.1"/>
          <geom type="capsule" fromto="0 0 0 0 0 -0.5" size="0.02" density="1000"/>
          <site name="tip" pos="0 0 -0.5"/>
        </body>
        <body name="held" mocap="true" pos="0.5 0 0"/>
      </worldbody>
      <actuator><motor joint="hinge" ctrlrange="-2 3"/></actuator>
    </mujoco>
    """

  private func model(_ text: String = Self.pendulum) throws -> MuJoCoModel {
    try MuJoCoModel(text: text, name: "pendulum")
  }

  @Test func theLibraryIsTheOneOfTheHeaders() { #expect(MuJoCoModel.version == "3.3.0") }

  @Test func aModelIsKnownByItsNames() throws {
    let model = try model()
    #expect(model.timestep == 0.002)
    #expect(try model.joint("hinge") == (0, 0))
    #expect(try model.body("rod") == 1 && model.mocap("held") == 0)
    #expect(model.controlRanges.map(\.low) == [-2] && model.controlRanges.map(\.high) == [3])
    #expect(model.bytes == (try self.model().bytes))
    let other = Self.pendulum.replacing("density=\"1000\"", with: "density=\"1001\"")
    #expect(model.bytes != (try self.model(other).bytes))
  }

  /// J q̇ of the tip, 0.5 m from the hinge, is what the positions of two moments say.
  @Test func velocitiesAreThoseOfThePositions() throws {
    let simulation = MuJoCoSimulation(try model())
    let tip = try simulation.model.site("tip")
    simulation.positions[0] = 0.7
    simulation.speeds[0] = 1.5
    simulation.forward()
    let (place, velocity) = (simulation.sitePosition(tip), simulation.siteVelocity(tip))
    #expect(abs((velocity * velocity).sum().squareRoot() - 0.75) < 1e-12)
    #expect(simulation.siteAngularVelocity(tip) == SIMD3(0, 1.5, 0))
    simulation.positions[0] += 1.5e-6
    simulation.forward()
    let moved = (simulation.sitePosition(tip) - place) / 1e-6
    for axis in 0..<3 { #expect(abs(moved[axis] - velocity[axis]) < 1e-5) }
  }

  @Test func aStateThatIsPutBackGoesOnToTheBit() throws {
    let model = try model()
    let (first, second) = (MuJoCoSimulation(model), MuJoCoSimulation(model))
    first.controls[0] = 1.3
    first.step(40)
    let state = first.integrationState
    #expect(state.count == model.integrationStateLength)
    second.step(7)
    second.integrationState = state
    #expect(second.integrationState == state && second.time == first.time)
    first.step(25)
    second.step(25)
    #expect(Array(first.positions) == Array(second.positions))
    #expect(abs(first.time - 65 * 0.002) < 1e-12)
    first.reset()
    #expect(first.time == 0 && first.positions[0] == 0)
  }

  @Test func aBodyOfMotionCaptureIsWhereItIsPut() throws {
    let simulation = MuJoCoSimulation(try model())
    let held = try simulation.model.mocap("held")
    simulation.setMocap(held, position: [0.1, -0.2, 0.3], rotation: [2, 0, 0, 0])
    simulation.step(3)
    #expect(simulation.mocapPosition(held) == [0.1, -0.2, 0.3])
    let body = try simulation.model.body("held")
    #expect(simulation.bodyPosition(body) == [0.1, -0.2, 0.3])
    #expect(simulation.bodyRotation(body) == [1, 0, 0, 0])
  }

  @Test func aPictureShowsAMarker() throws {
    let simulation = MuJoCoSimulation(try model())
    simulation.forward()
    let renderer = try MuJoCoRenderer(model: simulation.model, width: 64, height: 48)
    let camera = Camera(target: [0, 0, 0.75], distance: 2, azimuth: 90, elevation: -10)
    func red(_ markers: [Marker]) -> Int {
      let picture = renderer.draw(simulation, camera: camera, markers: markers)
      #expect(picture.count == 64 * 48 * 3)
      return stride(from: 0, to: picture.count, by: 3).count {
        picture[$0] > 120 && picture[$0 + 1] < 80 && picture[$0 + 2] < 80
      }
    }
    #expect(red([]) == 0)
    #expect(red([Marker(position: [0.3, 0, 1], radius: 0.1, colour: [0.9, 0.1, 0.1, 1])]) > 10)
  }

  // MARK: - Errors

  private func complaint(_ body: () throws -> Void) throws -> String {
    let error = #expect(throws: MuJoCoError.self) { try body() }
    return "\(try #require(error))"
  }

  @Test(arguments: [
    "", "no XML", "<mujoco><worldbody><body></mujoco>",
    "<mujoco><worldbody><ball/></worldbody></mujoco>",
    "<mujoco><worldbody><geom size=\"-1\"/></worldbody></mujoco>",
    "<mujoco><asset><mesh file=\"/etc/passwd\"/></asset></mujoco>",
  ])
  func aModelThatIsNoneIsNamed(text: String) throws {
    let said = try complaint { _ = try model(text) }
    #expect(said.hasPrefix("pendulum: MuJoCo can't load this model: "), "\(said)")
    #expect(said.count > 50)
  }

  @Test func aFileThatIsNoneIsNamed() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("model.xml")
    #expect(try complaint { _ = try MuJoCoModel(path: file.path) }.hasPrefix(file.path))
    try Data(repeating: 0, count: 1_000).write(to: file)
    #expect(try complaint { _ = try MuJoCoModel(path: file.path) }.hasPrefix(file.path))
  }

  @Test func namesThatTheModelHasNotAreNamed() throws {
    let model = try model()
    #expect(
      try complaint { _ = try model.site("top") } == "the model has no site called 'top'")
    #expect(
      try complaint { _ = try model.mocap("rod") } == "the model has no mocap body called 'rod'")
    #expect(
      try complaint { _ = try model.joint("") } == "the model has no joint called ''")
  }
}
