import Glibc
import GoalCore

/// Brings the fingertips to the goal by the hand's Jacobian, a step of damped least squares.
///
///     Δ = Jᵀ (J Jᵀ + λ I)⁻¹ (g − tips),   command = q + gain · clip(Δ, ±0.15)
///
/// where J is the derivative of the 15 numbers of the tips by the 20 motors' angles, from the
/// joints' places at the observed angles. The last joint of a finger turns 1.14 times as far as the
/// one before it. The gain makes up for motors that give way.
enum HandReachScript {
  private static let gain = 6.0
  private static let damping = 1e-4  // m²
  private static let largestTurn = 0.15  // rad

  /// The action for an observation and a desired goal.
  static func action(_ observation: [Float], _ desired: [Float]) -> Action {
    let goal = desired.map { Double($0) }
    let numbers = observation.map { Double($0) }
    let tips = Array(numbers[48..<63])
    let jacobian = HandKinematics.jacobian(angles: Array(numbers[0..<24]), tips: tips)
    var square = [[Double]](repeating: [Double](repeating: 0, count: 15), count: 15)
    for i in 0..<15 {
      for k in 0..<15 {
        square[i][k] = zip(jacobian[i], jacobian[k]).reduce(0) { $0 + $1.0 * $1.1 }
      }
      square[i][i] += Self.damping
    }
    let way = solution(square, zip(goal, tips).map { $0 - $1 })
    let motors = HandKinematics.motors.enumerated()
    return .continuous(
      motors.map { motor, range in
        var turn = 0.0
        for i in 0..<15 { turn += jacobian[i][motor] * way[i] }
        let angle =
          numbers[range.joint] + Self.gain
          * min(max(turn, -Self.largestTurn), Self.largestTurn)
        let middle = (range.high + range.low) / 2
        return Float(min(max(2 * (angle - middle) / (range.high - range.low), -1), 1))
      })
  }

  /// x of `matrix` x = `right`, for a positive definite matrix, by elimination.
  private static func solution(_ matrix: [[Double]], _ right: [Double]) -> [Double] {
    var (m, x) = (matrix, right)
    for k in x.indices {
      for i in x.indices where i > k {
        let factor = m[i][k] / m[k][k]
        for j in k..<x.count { m[i][j] -= factor * m[k][j] }
        x[i] -= factor * x[k]
      }
    }
    for k in x.indices.reversed() {
      for j in x.indices where j > k { x[k] -= m[k][j] * x[j] }
      x[k] /= m[k][k]
    }
    return x
  }
}

/// Where the Shadow hand's joints are: the numbers of gymnasium-robotics' model.
enum HandKinematics {
  /// A joint: where it is in the frame of the one before (m), what it turns about, and the motor
  /// that turns it by how much of its own angle.
  private struct Joint {
    let offset, axis: SIMD3<Double>
    let index, motor: Int
    var share = 1.0
    var tilt = 0.0  // rad, of its frame about y
  }

  /// The angle that each motor turns, and its range, rad.
  static let motors: [(joint: Int, low: Double, high: Double)] = {
    var motors = [(joint: 0, low: -0.489, high: 0.14), (1, -0.698, 0.489)]
    for knuckle in [2, 6, 10] { motors += finger(knuckle) }
    motors.append((14, 0, 0.785))
    motors += finger(15)
    motors += [(19, -1.047, 1.047), (20, 0, 1.222), (21, -0.209, 0.209)]
    motors += [(22, -0.524, 0.524), (23, -1.571, 0)]
    return motors
  }()

  private static func finger(_ knuckle: Int) -> [(joint: Int, low: Double, high: Double)] {
    [(knuckle, -0.349, 0.349), (knuckle + 1, 0, 1.571), (knuckle + 2, 0, 1.571)]
  }

  private static let x = SIMD3(1.0, 0, 0)
  private static let y = SIMD3(0, 1.0, 0)

  private static let wrist = [
    Joint(offset: SIMD3(0, 0, 0.256), axis: y, index: 0, motor: 0),
    Joint(offset: SIMD3(0, 0, 0.034), axis: x, index: 1, motor: 1),
  ]

  /// The joints that move a tip: fore, middle, ring and little finger, thumb.
  private static let chains: [[Joint]] = {
    let palm = SIMD3(-0.017, 0, 0.044)
    let little = Joint(
      offset: palm, axis: SIMD3(0.571, 0, 0.821) / (0.571 * 0.571 + 0.821 * 0.821).squareRoot(),
      index: 14, motor: 11)
    let thumb = [
      Joint(
        offset: SIMD3(0.034, -0.009, 0.029), axis: SIMD3(0, 0, -1), index: 19, motor: 15,
        tilt: 0.785),
      Joint(offset: SIMD3(), axis: x, index: 20, motor: 16),
      Joint(offset: SIMD3(0, 0, 0.038), axis: x, index: 21, motor: 17),
      Joint(offset: SIMD3(), axis: y, index: 22, motor: 18),
      Joint(offset: SIMD3(0, 0, 0.032), axis: y, index: 23, motor: 19),
    ]
    return [
      wrist + finger(SIMD3(0.033, 0, 0.095), index: 2, motor: 2),
      wrist + finger(SIMD3(0.011, 0, 0.099), index: 6, motor: 5),
      wrist + finger(SIMD3(-0.011, 0, 0.095), index: 10, motor: 8),
      wrist + [little] + finger(palm, index: 15, motor: 12),
      wrist + thumb,
    ]
  }()

  private static func finger(_ knuckle: SIMD3<Double>, index: Int, motor: Int) -> [Joint] {
    [
      Joint(offset: knuckle, axis: y, index: index, motor: motor),
      Joint(offset: SIMD3(), axis: x, index: index + 1, motor: motor + 1),
      Joint(offset: SIMD3(0, 0, 0.045), axis: x, index: index + 2, motor: motor + 2),
      Joint(
        offset: SIMD3(0, 0, 0.025), axis: x, index: index + 3, motor: motor + 2,
        share: 0.00805 / 0.00705),
    ]
  }

  /// The derivative of the tips' 15 numbers by the 20 motors' angles, m/rad, at 24 joints' angles.
  static func jacobian(angles: [Double], tips: [Double]) -> [[Double]] {
    var result = [[Double]](repeating: [Double](repeating: 0, count: 20), count: 15)
    for (tip, chain) in chains.enumerated() {
      // The forearm's frame: its axes as columns, and its origin.
      var frame = [SIMD3(-1.0, 0, 0), SIMD3(0, 0, -1.0), SIMD3(0, -1.0, 0)]
      var place = SIMD3(1, 1.25, 0.14)
      let end = SIMD3(tips[3 * tip], tips[3 * tip + 1], tips[3 * tip + 2])
      for joint in chain {
        place += turned(joint.offset, by: frame)
        if joint.tilt != 0 { frame = rotated(frame, about: y, by: joint.tilt) }
        let arm = cross(turned(joint.axis, by: frame), end - place)
        for k in 0..<3 { result[3 * tip + k][joint.motor] += joint.share * arm[k] }
        frame = rotated(frame, about: joint.axis, by: angles[joint.index])
      }
    }
    return result
  }

  private static func turned(_ v: SIMD3<Double>, by frame: [SIMD3<Double>]) -> SIMD3<Double> {
    v.x * frame[0] + v.y * frame[1] + v.z * frame[2]
  }

  /// A frame turned about an axis of its own, by Rodrigues' formula.
  private static func rotated(
    _ frame: [SIMD3<Double>], about axis: SIMD3<Double>, by angle: Double
  ) -> [SIMD3<Double>] {
    let n = turned(axis, by: frame)
    return frame.map { v in
      v * cos(angle) + cross(n, v) * sin(angle) + n * ((n * v).sum() * (1 - cos(angle)))
    }
  }

  private static func cross(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> SIMD3<Double> {
    SIMD3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
  }
}
