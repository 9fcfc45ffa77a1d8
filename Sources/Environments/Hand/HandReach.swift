public import GoalCore
import MuJoCo

/// The Shadow hand, asked to bring its five fingertips to places: thumb and one finger together
/// over the palm, the others where they are at rest.
///
/// One control step is 20 steps of 0.002 s: 0.04 s. An episode has 50 and never terminates.
///
/// | index | observation                                                             | unit  |
/// |-------|-------------------------------------------------------------------------|-------|
/// | 0–23  | joints' angles: wrist 2; fingers 4, 4, 4 and 5; thumb 5                 | rad   |
/// | 24–47 | joints' angular velocities                                              | rad/s |
/// | 48–62 | fore, middle, ring, little finger's and thumb's tip (the achieved goal) | m     |
///
/// | index | action                                                    | unit           | range   |
/// |-------|-----------------------------------------------------------|----------------|---------|
/// | 0–19  | target of its motor: wrist 2; fingers 3, 3, 3, 4; thumb 5 | half the range | −1 to 1 |
///
/// The last joint of each finger is moved by the one before it. A goal is 15 numbers, as the tips
/// are in the observation, reached within 1 cm over all 15. One goal in ten is the tips' own places
/// at rest. Equal seeds give the states, goals and observations of gymnasium-robotics 1.4.2,
/// `HandReach-v3`, on MuJoCo 3.3.0. Goals agree to 10⁻¹², since they are divided by a norm whose
/// order of summation is numpy's. The models are from its wheel.
///
/// The reference shows the tips as they were before the last of the 20 steps, and so does this.
///
/// It differs from the reference in: 1. rewards and successes are computed from observations
/// rounded to `Float`, which are what datasets hold.
public final class HandReach: MuJoCoWorld {
  static let task: GoalTask = GoalTask(
    identifier: "hand-reach",
    spec: GoalSpec(
      observation: 63, goal: 15,
      action: .continuous(
        low: [Float](repeating: -1, count: 20), high: [Float](repeating: 1, count: 20)),
      horizon: 50, successThreshold: 0.01,
      metric: "distance of all five fingertips from the goal, m",
      controlPeriod: 0.04),
    goalIndices: Array(48..<63))

  static let summary = "bring the thumb's tip to a finger's tip over the palm"

  private static let substeps = 20
  private static let fingers = ["ff", "mf", "rf", "lf", "th"]
  private static let thumb = 4

  /// The task, which needs no simulator.
  public let task: GoalTask
  private let simulation: MuJoCoSimulation
  var lagging: LaggingSimulation
  let studio = Studio()
  private let tips: [Int]
  private let centres, halfRanges: [Double]
  private let ranges: [(low: Double, high: Double)]

  // What every episode starts from.
  private let initialPositions: [Double]
  private let initialTips: [SIMD3<Double>]
  private let meeting: SIMD3<Double>

  var goal: [Double] = []
  var steps = 0

  static func model() throws -> MuJoCoModel {
    try MuJoCoModel(path: ModelFiles.path("gymnasium_robotics/envs/assets/hand/reach.xml"))
  }

  init(model: MuJoCoModel) throws {
    task = HandReach.task
    simulation = MuJoCoSimulation(model)
    lagging = LaggingSimulation(simulation)
    tips = try HandReach.fingers.map { try model.site("robot0:S_\($0)tip") }
    ranges = model.controlRanges
    halfRanges = ranges.map { ($0.high - $0.low) / 2 }
    centres = ranges.map { ($0.high + $0.low) / 2 }
    for (name, angle) in HandReach.rest {
      simulation.positions[try model.joint("robot0:" + name).position] = angle
    }
    simulation.forward()
    initialPositions = Array(simulation.positions)
    initialTips = tips.map { [simulation] in simulation.sitePosition($0) }
    meeting = simulation.bodyPosition(try model.body("robot0:palm")) + SIMD3(0, -0.09, 0.05)
  }

  /// Starts the episode of this seed: finger, meeting place and whether it is to rest are drawn.
  public func reset(seed: UInt64) -> GoalObservation {
    var generator = NumpyGenerator(seed: seed)
    simulation.reset()
    for (k, value) in initialPositions.enumerated() { simulation.positions[k] = value }
    simulation.forward()
    let finger = generator.choice([0, 1, 2, 3])
    var place = meeting
    for k in 0..<3 { place[k] += 0.005 * generator.normal() }
    var goals = initialTips
    for tip in [HandReach.thumb, finger] {
      // Half a centimetre apart from the other's.
      let way = place - goals[tip]
      goals[tip] = place - 0.005 * (way / (way * way).sum().squareRoot())
    }
    if generator.unit() < 0.1 { goals = initialTips }
    goal = goals.flatMap(numbers)
    return started()
  }

  /// Applies one action, clipped to its range.
  public func step(_ action: Action) -> GoalStep {
    for (k, value) in task.clipped(action).enumerated() {
      let angle = centres[k] + Double(value) * halfRanges[k]
      simulation.controls[k] = min(max(angle, ranges[k].low), ranges[k].high)
    }
    lagging.step(HandReach.substeps)
    return stepped()
  }

  /// The observation before it is rounded to `Float`, `[O]`, to compare with the reference.
  public var preciseObservation: [Double] {
    Array(simulation.positions) + Array(simulation.speeds)
      + tips.flatMap { numbers(simulation.sitePosition($0)) }
  }

  private func numbers(_ v: SIMD3<Double>) -> [Double] { [v.x, v.y, v.z] }

  /// The hand from the reference's camera, the tips' goals balls: green once all are reached, else
  /// red.
  var markers: [Marker] {
    let colour = goalColour
    return stride(from: 0, to: 15, by: 3).map { k in
      Marker(position: SIMD3(goal[k], goal[k + 1], goal[k + 2]), radius: 0.007, colour: colour)
    }
  }

  let camera = Camera(target: SIMD3(1, 0.96, 0.14), distance: 0.5, azimuth: 55, elevation: -25)

  /// Tips are 0.5 m a second fast at most with random commands, joints some 50 rad/s.
  static let bounds = PlausibleBounds(
    things: zip(["fore finger", "middle finger", "ring finger", "little finger", "thumb"], 0...)
      .map { name, k in
        .init(name: name, indices: [48 + 3 * k, 49 + 3 * k, 50 + 3 * k], largestStep: 0.2)
      },
    largestObservation: 200)

  /// The joints' angles at rest, rad.
  private static let rest = [
    ("WRJ1", -0.16514339750464327), ("WRJ0", -0.31973286565062153),
    ("FFJ3", 0.14340512546557435), ("FFJ2", 0.32028208333591573),
    ("FFJ1", 0.7126053607727917), ("FFJ0", 0.6705281001412586),
    ("MFJ3", 0.000246444303701037), ("MFJ2", 0.3152655251085491),
    ("MFJ1", 0.7659800313729842), ("MFJ0", 0.7323156897425923),
    ("RFJ3", 0.00038520700007378114), ("RFJ2", 0.36743546201985233),
    ("RFJ1", 0.7119514095008576), ("RFJ0", 0.6699446327514138),
    ("LFJ4", 0.0525442258033891), ("LFJ3", -0.13615534724474673),
    ("LFJ2", 0.39872030433433003), ("LFJ1", 0.7415570009679252),
    ("LFJ0", 0.704096378652974), ("THJ4", 0.003673823825070126),
    ("THJ3", 0.5506291436028695), ("THJ2", -0.014515151997119306),
    ("THJ1", -0.0015229223564485414), ("THJ0", -0.7894883021600622),
  ]
}
