public import GoalCore
import MuJoCo

/// The Sawyer arm with a gripper over a table, asked to push three blocks to their places: the
/// block world of Goal-Aware Prediction.
///
/// One control step is one action held for twice 5 steps of 0.0025 s: 0.025 s. An episode has 50
/// and never terminates. The blocks slide along x and y, never turn, and hardly slow down.
///
/// | index | observation                                                 | unit |
/// |-------|-------------------------------------------------------------|------|
/// | 0–2   | hand's position                                             | m    |
/// | 3–8   | green, pink and blue block in the plane (the achieved goal) | m    |
/// | 9–14  | their velocities                                            | m/s  |
///
/// | index | action                                            | unit  | range   |
/// |-------|---------------------------------------------------|-------|---------|
/// | 0–2   | displacement of what the hand follows, made twice | 10 cm | −1 to 1 |
/// | 3     | fingers: −1 open, 1 shut                          |       | −1 to 1 |
///
/// The mocap body stays in the box (−0.2, 0.4, 0) to (0.2, 0.8, 0.05) m. Blocks are cubes of
/// 12 cm whose middles stay within 0.3 m of (0, 0.6). A goal is a place for each block, and is
/// reached when none is farther from its own than the threshold.
///
/// | world        | blocks start             | goal                         | reached within |
/// |--------------|--------------------------|------------------------------|----------------|
/// | gap-blocks   | within 0.2 m of (0, 0.6) | one, anywhere within 0.3 m   | 8 cm           |
/// | gap-blocks-1 | in a row                 | one, 15 cm farther away      | 8 cm           |
/// | gap-blocks-2 | two in line, one aside   | first 15 cm aside, second on | 10 cm          |
///
/// Images are 64 × 64 × 6: red, green and blue of what the camera sees, and of what it is to see at
/// the goal.
///
/// Source: S. Nair, S. Savarese and C. Finn, "Goal-Aware Prediction: Learning to Model What
/// Matters" (ICML 2020), `GapBlock-v0` of github.com/suraj-nair-1/goal_aware_prediction at 2eb5bc2,
/// `gap_envs/gap_env/block_env/block_env.py` with `sawyer_multiobject.xml`, in the loop of `env.py`
/// (each action twice, 100 inner steps), over Meta-World's `SawyerXYZEnv`. The reference shows the
/// hand as it was before the last step of the integrator, and so does this.
///
/// It differs in: 1. the reference shows images only; the observation of numbers is ours, with
/// velocities, as the blocks go on by themselves; 2. every block counts, since a goal does not say
/// which block is asked for, where the reference looks at that block alone (both, in the second
/// problem); 3. the model is ours (`SawyerModel`), on MuJoCo 3.3.0 acting as those before 3. In
/// half of noisy scripted episodes observations agree with the reference's model on MuJoCo 2.3.7 to
/// a centimetre (`scripts/compare-sawyer`). Contacts are so stiff that a difference in a last bit,
/// as between processors, grows to centimetres within ten random steps. Capsules draw the arm, and
/// the table has no wood; 4. rewards are −1 and 0, where the reference gives minus the distance; 5.
/// starts and goals are drawn from the episode's own generator; 6. the hand is not brought back
/// after the last step, which the reference's last image shows.
public final class GapBlocks: MuJoCoWorld, ImageEnvironment {
  /// The parameters of a world of the family.
  struct Row: Sendable {
    let identifier: String
    let summary: String
    /// The reference's name of the problem: 0 for the random one.
    let problem: Int
    let threshold: Double
  }

  static let rows = [
    Row(
      identifier: "gap-blocks", summary: "push one of three blocks anywhere", problem: 0,
      threshold: 0.08),
    Row(
      identifier: "gap-blocks-1", summary: "push one block of a row away", problem: 1,
      threshold: 0.08),
    Row(
      identifier: "gap-blocks-2", summary: "push one block aside and another away", problem: 2,
      threshold: 0.1),
  ]

  static func task(_ row: Row) -> GoalTask {
    GoalTask(
      identifier: row.identifier,
      spec: GoalSpec(
        observation: 15, goal: 6,
        action: .continuous(low: [-1, -1, -1, -1], high: [1, 1, 1, 1]), horizon: 50,
        successThreshold: row.threshold,
        metric: "distance of the block farthest from its place, m", controlPeriod: 0.025),
      goalIndices: Array(3..<9), measure: .farthestPlace)
  }

  /// The mocap body moves 0.35 m a step; a block that is squeezed out moves fast.
  static let bounds = PlausibleBounds(
    things: [.init(name: "hand", indices: [0, 1, 2], largestStep: 0.5)]
      + zip(["green", "pink", "blue"], [3, 5, 7]).map { colour, k in
        .init(name: "\(colour) block", indices: [k, k + 1], largestStep: 0.4)
      },
    largestObservation: 50)

  private static let substeps = 5
  private static let stride = 0.1  // m per unit of action
  private static let low = SIMD3(-0.2, 0.4, 0)
  private static let high = SIMD3(0.2, 0.8, 0.05)
  private static let rotation = SIMD4(1.0, 0, 1, 0)  // of the hand, which points down
  private static let middle = SIMD2(0, 0.6)  // m, from which joints count the blocks' places

  /// The task, which needs no simulator.
  public let task: GoalTask
  private let row: Row
  private let simulation, goalScene: MuJoCoSimulation
  var lagging: LaggingSimulation
  let studio = Studio()
  private let imageStudio = Studio()
  private let hand, mocap, firstBlock: Int
  var goal: [Double] = []
  private var goalImage: [UInt8]?
  var steps = 0

  static func model(_ row: Row) throws -> MuJoCoModel {
    try SawyerModel.blocks.load(name: row.identifier)
  }

  init(_ row: Row, model: MuJoCoModel) throws {
    self.row = row
    task = GapBlocks.task(row)
    simulation = MuJoCoSimulation(model)
    goalScene = MuJoCoSimulation(model)
    lagging = LaggingSimulation(simulation)
    hand = try model.body("hand")
    mocap = try model.mocap("mocap")
    firstBlock = try model.joint("green x").position
  }

  /// Starts the episode of this seed: draws where the blocks lie and the goal.
  public func reset(seed: UInt64) -> GoalObservation {
    var generator = NumpyGenerator(seed: seed)
    simulation.reset()
    bringHand(to: start)
    for block in 0..<3 {
      let drawn = SIMD2(generator.uniform(-0.2, 0.2), generator.uniform(-0.2, 0.2))
      put(block, at: fixedPlace(block) ?? drawn)
    }
    for _ in 0..<100 { move(fingers: 0, 0) }

    var target = generator.integer(0, 3)
    if row.problem == 2 { target = 0 }
    let (from, other) = (place(target), place(2))
    bringHand(to: handAtGoal(target))
    var aim = SIMD2(generator.uniform(-0.3, 0.3), generator.uniform(-0.3, 0.3))
    if row.problem == 1 { aim = from + SIMD2(0, 0.15) }
    if row.problem == 2 { aim = from + SIMD2(0.15, 0) }
    put(target, at: aim)
    if row.problem == 2 { put(2, at: other + SIMD2(0, 0.15)) }
    goal = (0..<3).flatMap { block in
      let at = place(block) + GapBlocks.middle
      return [at.x, at.y]
    }
    goalScene.integrationState = simulation.integrationState
    goalImage = nil

    bringHand(to: start)
    put(target, at: from)
    if row.problem == 2 { put(2, at: other) }
    return started()
  }

  /// Where the hand starts.
  private var start: SIMD3<Double> {
    switch row.problem {
    case 1: SIMD3(0, 0.3, 0)
    case 2: SIMD3(-0.15, 0.5, 0)
    default: SIMD3(0, 0.6, 0)
    }
  }

  /// Where the hand is in the goal's image.
  private func handAtGoal(_ target: Int) -> SIMD3<Double> {
    switch row.problem {
    case 1: SIMD3([-0.2, 0, 0.2][target], 0.75, 0)
    case 2: SIMD3(0.1, 0.9, 0)
    default: start
    }
  }

  /// Where a block starts in a problem that says so.
  private func fixedPlace(_ block: Int) -> SIMD2<Double>? {
    switch row.problem {
    case 1: SIMD2(-0.15 + 0.15 * Double(block), 0)
    case 2: [SIMD2(0, 0), SIMD2(0.2, -0.2), SIMD2(0, 0.15)][block]
    default: nil
    }
  }

  private func move(fingers right: Double, _ left: Double) {
    (simulation.controls[0], simulation.controls[1]) = (right, left)
    simulation.step(GapBlocks.substeps)
  }

  private func bringHand(to place: SIMD3<Double>) {
    simulation.setMocap(mocap, position: place, rotation: GapBlocks.rotation)
    for _ in 0..<10 { move(fingers: -1, 1) }
  }

  private func place(_ block: Int) -> SIMD2<Double> {
    let k = firstBlock + 2 * block
    return SIMD2(simulation.positions[k], simulation.positions[k + 1])
  }

  private func put(_ block: Int, at place: SIMD2<Double>) {
    let k = firstBlock + 2 * block
    (simulation.positions[k], simulation.positions[k + 1]) = (place.x, place.y)
    (simulation.speeds[k], simulation.speeds[k + 1]) = (0, 0)
    simulation.forward()
  }

  /// Applies one action twice, clipped to its range.
  public func step(_ action: Action) -> GoalStep {
    let values = task.clipped(action).map { Double($0) }
    for repetition in 0..<2 {
      let way = SIMD3(values[0], values[1], values[2]) * GapBlocks.stride
      let place = (simulation.mocapPosition(mocap) + way)
        .clamped(lowerBound: GapBlocks.low, upperBound: GapBlocks.high)
      simulation.setMocap(mocap, position: place, rotation: GapBlocks.rotation)
      (simulation.controls[0], simulation.controls[1]) = (values[3], -values[3])
      if repetition == 0 {
        simulation.step(GapBlocks.substeps)
      } else {
        lagging.step(GapBlocks.substeps)
      }
    }
    return stepped()
  }

  /// The observation before it is rounded to `Float`, `[O]`.
  public var preciseObservation: [Double] {
    let hand = simulation.bodyPosition(hand)
    let places = (0..<3).flatMap { block in
      let at = place(block) + GapBlocks.middle
      return [at.x, at.y]
    }
    let speeds = simulation.speeds[firstBlock..<firstBlock + 6]
    return [hand.x, hand.y, hand.z] + places + Array(speeds)
  }

  /// Puts a state and a goal back; the hand in the goal's image is where it is in this state.
  public func restore(state: [Double], desiredGoal: [Float], step: Int) -> GoalObservation {
    lagging.state = state
    goal = desiredGoal.map { Double($0) }
    steps = step
    goalScene.integrationState = simulation.integrationState
    goalImage = nil
    for k in 0..<6 {
      goalScene.positions[firstBlock + k] = goal[k] - (k % 2 == 0 ? 0 : GapBlocks.middle.y)
    }
    goalScene.forward()
    return shown
  }

  /// Rows, columns and channels of an image.
  public var imageShape: [Int] { [64, 64, 6] }

  /// The reference camera's image of this state and of the goal: as there, the viewer stands
  /// opposite the arm, and left and right are exchanged.
  public func image() throws -> [UInt8] {
    let camera = Camera(
      target: SIMD3(0, 0.6343, 0.2343), distance: 0.8, azimuth: 270, elevation: -45)
    func bytes(_ scene: MuJoCoSimulation) throws -> [UInt8] {
      try imageStudio.picture(of: scene, from: camera, with: [], width: 64, height: 64).bytes
    }
    let goalBytes = try goalImage ?? bytes(goalScene)
    goalImage = goalBytes
    let pictures = [try bytes(simulation), goalBytes]
    return (0..<64 * 64).flatMap { pixel in
      let mirrored = 3 * (pixel - pixel % 64 + 63 - pixel % 64)
      return pictures.flatMap { $0[mirrored..<mirrored + 3] }
    }
  }

  /// The table from the side of the reference's camera.
  ///
  /// A small ball in a block's colour marks its target. A ball over the block farthest from its
  /// target is green once the goal is reached, else red.
  var markers: [Marker] {
    let blocks = (0..<3).map { k -> (place: SIMD3<Double>, distance: Double) in
      let (x, y) = (goal[2 * k], goal[2 * k + 1])
      let here = place(k) + GapBlocks.middle
      return (SIMD3(x, y, 0.14), length(here.x - x, here.y - y))
    }
    let farthest = blocks.indices.max { blocks[$0].distance < blocks[$1].distance } ?? 0
    let colours: [SIMD4<Float>] = [SIMD4(0, 1, 0, 1), SIMD4(1, 0.5, 1, 1), SIMD4(0, 0, 1, 1)]
    return blocks.indices.map { k in
      Marker(
        position: blocks[k].place, radius: k == farthest ? 0.025 : 0.012,
        colour: k == farthest ? goalColour : colours[k])
    }
  }

  let camera = Camera(target: SIMD3(0, 0.6, 0.05), distance: 1.1, azimuth: 270, elevation: -50)
}

extension SawyerModel {
  /// The model of gap-blocks: a gripper and three blocks on slides.
  static let blocks = SawyerModel(
    timestep: 0.0025, options: #"tolerance="1e-10" jacobian="dense" cone="elliptic""#,
    contacts: #"solref="0.02 1" solimp="1 1 0""#, weldTime: 0.02,
    ranges: ("-3.0503 3.0503", "-3.8 -0.5", "-4.7124 4.7124"), hand: .gripper,
    things: """
      <geom name="table" type="plane" pos="0 0.6 0" size="0.4 0.4 0.5" friction="2 0.1 0.002"
        rgba="0.75 0.65 0.5 1"/>
      \(block("green", "0 1 0 1"))
      \(block("pink", "1 0.5 1 1"))
      \(block("blue", "0 0 1 1"))
      """,
    motors: """
      <position joint="right" kp="400" ctrllimited="true" ctrlrange="-1 1"/>
      <position joint="left" kp="400" ctrllimited="true" ctrlrange="-1 1"/>
      """)

  private static func block(_ name: String, _ colour: String) -> String {
    """
    <body name="\(name)" pos="0 0.6 0.05">
      <inertial pos="0 0 0" mass="0.000001" diaginertia="0.001 0.001 0.001"/>
      <joint class="block" name="\(name) x" axis="1 0 0"/>
      <joint class="block" name="\(name) y" axis="0 1 0"/>
      <geom class="block" rgba="\(colour)"/>
    </body>
    """
  }
}
